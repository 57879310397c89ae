"use strict";
// Data and rows of a comparison of many: a row for each finding, a column for each group of
// identical environments.  page.js shows the rows.
const view = ({data, text, make, SEVERITIES}) => {
  const SIGNS = {"+": "s-add", "-": "s-del", "~": "s-mod", "?": "s-unk", "↑": "s-up", "↓": "s-down"};
  const LISTED = 0;
  const columns = data.letters.length;
  document.documentElement.style.setProperty("--columns", columns);
  const changes = data.rows.map((row) => ({
    part: row[0], id: row[1], section: text(row[2]), key: row[3], field: row[4], severity: row[5],
    rule: text(row[6]), why: text(row[7]), fix: row[8], most: row[9], agreeing: row[10],
    odd: row[11].map(([sign, value, severity, places]) => ({sign, value, severity, places})),
    missing: row[12], hay: "",
  }));
  for (const change of changes) {
    const names = change.odd.flatMap((odd) => odd.places.map((place) => data.names[place]));
    change.hay = [change.section, change.key, change.field, change.rule, change.id, change.most,
      ...change.odd.map((odd) => odd.value), ...names].join("\n").toLowerCase();
  }
  const sentence = (words) => `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
  const shown = (value) => value === null ? make("span", "only", "absent") : make("code", "", value);

  function cells(change) {
    const made = Array.from({length: columns}, () => make("span", "cell same", "="));
    for (const place of change.missing) made[place] = make("span", "cell", make("span", "only", "no record"));
    for (const odd of change.odd) for (const place of odd.places) {
      made[place] = make("span", `cell odd ${SEVERITIES[odd.severity]}`,
        make("span", `sign ${SIGNS[odd.sign]}`, odd.sign), odd.sign === "?" ? "unknown" : shown(odd.value));
    }
    made.forEach((cell, place) => cell.title = `${data.letters[place]}: ${data.names[place]}`);
    return made;
  }

  function row(change) {
    const severity = SEVERITIES[change.severity];
    const name = make("span", "name", make("code", "", change.key || change.field),
      change.key && change.field ? make("span", "field", change.field) : "");
    const details = make("details", change.part === LISTED ? "" : "aside", make("summary", "",
      make("span", `pill ${severity}`, severity), name,
      make("span", "cell most", shown(change.most)), ...cells(change)));
    details.id = change.id;
    details.addEventListener("toggle", () => {
      if (details.open && details.childElementCount === 1) details.append(body(change));
    });
    return make("li", "", details);
  }

  function body(change) {
    const list = make("dl");
    const say = (term, ...told) => list.append(make("dt", "", term), make("dd", "", ...told));
    say(`most (${change.agreeing.toLocaleString("en")})`, shown(change.most));
    for (const odd of change.odd) {
      const names = odd.places.map((place) => data.names[place]).join(", ");
      say(odd.sign === "?" ? "unknown" : odd.sign, shown(odd.value), "  ", make("span", "only", names));
    }
    if (change.fix) say(change.fix.slice(0, change.fix.indexOf(":")), change.fix.slice(change.fix.indexOf(":") + 2));
    say("rule", make("code", "", change.rule));
    const link = make("a", "mono", change.id);
    link.href = `#${change.id}`;
    say("finding", link);
    return make("div", "body", make("p", "", sentence(change.why)), list);
  }

  function header() {
    const heads = data.letters.map((letter, place) => {
      const cell = make("span", "cell", make("b", "", letter), " ", make("code", "", data.names[place]));
      cell.title = data.names[place];
      return cell;
    });
    return make("li", "columns", make("span", "", ""), make("span", "", ""), make("span", "", ""),
      make("span", "cell most", make("b", "", "most")), ...heads);
  }

  const legend = "= same as most   + most lack it   - lacks it   ~ differs   ? unknown   ↑ newer   ↓ older than most";
  return {changes, row, legend, header};
};
