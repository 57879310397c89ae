"use strict";
// Data and rows of a comparison of two: one row for each change.  page.js shows the rows.
const view = ({data, text, make, SEVERITIES, CHUNK}) => {
  const SIGNS = {"+": "s-add", "-": "s-del", "~": "s-mod", "?": "s-unk", "↑": "s-up", "↓": "s-down"};
  const LISTED = 0, FOLDED = 1;
  const changes = data.rows.map((row) => ({
    part: row[0], id: row[1], section: text(row[2]), key: row[3], field: row[4], sign: row[5],
    left: row[6], right: row[7], severity: row[8], rule: text(row[9]), why: text(row[10]),
    fix: row[11], by: text(row[12]), status: text(row[13]), policy: text(row[14]),
    moved: text(row[15]), scope: row[16], via: text(row[17]), hay: "",
  }));
  const record = (change) => `${change.section} ${change.key}`;
  const explained = new Map();
  const leaders = new Map();
  for (const change of changes) {
    change.hay = [change.section, change.key, change.field, change.left, change.right, change.rule,
      change.id, change.status, change.policy].join("\n").toLowerCase();
    if (change.part === FOLDED) {
      if (!explained.has(change.by)) explained.set(change.by, []);
      explained.get(change.by).push(change);
    } else if (!leaders.has(record(change)) || change.field === "content") {
      leaders.set(record(change), change);
    }
  }
  // One change of a record lists what the record explains: the change of content, if there is one.
  const followersOf = (change) =>
    leaders.get(record(change)) === change ? explained.get(record(change)) || [] : [];

  // The part that differs, in whole words: [common start, left, right, common end].
  function parts(left, right) {
    const split = (value) => value.match(/[0-9A-Za-z]+|[^0-9A-Za-z]/gu) || [];
    const a = split(left), b = split(right);
    let start = 0, end = 0;
    while (start < a.length && start < b.length && a[start] === b[start]) start++;
    while (end < a.length - start && end < b.length - start &&
           a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
    const cut = (list) => list.slice(start, list.length - end).join("");
    return [a.slice(0, start).join(""), cut(a), cut(b), a.slice(a.length - end).join("")];
  }

  function value(change) {
    const {left, right} = change;
    if (left !== null && left === right) return [make("code", "", left), make("span", "only", "  on both sides")];
    if (left !== null && right !== null) {
      const [start, old, fresh, end] = parts(left, right);
      const side = (cls, part) => make("code", "", start, part && make("span", cls, part), end);
      return [side("old", old), make("span", "to", " → "), side("new", fresh)];
    }
    const here = left === null ? right : left;
    if (change.sign === "?") {
      const told = here === null ? "unknown" : "  unknown on the other side";
      return [here && make("code", "", here), make("span", "only", told)];
    }
    const only = `  only on ${left === null ? data.right : data.left}`;
    return [here && make("code", "", here), make("span", "only", only)];
  }

  function row(change) {
    const severity = SEVERITIES[change.severity];
    const name = make("span", "name", make("code", "", change.key || change.field),
      change.key && change.field ? make("span", "field", change.field) : "");
    if (change.status !== "new") name.append(make("span", "tag", change.status));
    const side = {left: data.left, right: data.right, both: "both"}[change.moved];
    if (side) name.append(make("span", "tag", `changed on ${side}`));
    const count = followersOf(change).length;
    if (count) name.append(make("span", "tag", `explains ${count}`));
    const details = make("details", change.part === LISTED ? "" : "aside", make("summary", "",
      make("span", `sign ${SIGNS[change.sign]}`, change.sign),
      make("span", `pill ${severity}`, severity), name, make("span", "value", ...value(change)),
      loud(change) ? make("span", "reason", `${sentence(change.why)} ${change.fix}`) : ""));
    details.id = change.id;
    details.addEventListener("toggle", () => {
      if (details.open && details.childElementCount === 1) details.append(body(change));
    });
    return make("li", "", details);
  }

  const loud = (change) => change.severity <= 1 && change.part === LISTED;
  const sentence = (words) => `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;

  function body(change) {
    const list = make("dl");
    const say = (term, ...told) => list.append(make("dt", "", term), make("dd", "", ...told));
    if (change.fix && !loud(change)) say(change.fix.slice(0, change.fix.indexOf(":")), change.fix.slice(change.fix.indexOf(":") + 2));
    if (change.via) say(`why ${change.scope.join(", ")} needs it`, make("code", "", change.via));
    if (change.by) say("explained by", make("code", "", change.by));
    if (change.policy) say(change.status, change.policy);
    say("rule", make("code", "", change.rule));
    const link = make("a", "mono", change.id);
    link.href = `#${change.id}`;
    say("finding", link);
    if (change.part === LISTED && change.sign !== "?")
      say("accept it", make("pre", "", `envlock waive ${change.id} --reason "…" --expires YYYY-MM-DD`));
    const followers = followersOf(change);
    if (followers.length) {
      const items = followers.slice(0, CHUNK).map((other) => make("li", "",
        make("code", "", `${other.section} ${other.key}`), other.field ? ` ${other.field} ` : " ",
        make("span", "value", ...value(other))));
      if (followers.length > CHUNK) items.push(make("li", "", `… ${followers.length - CHUNK} more`));
      say("explains", make("ul", "explained", ...items));
    }
    return make("div", "body", loud(change) ? "" : make("p", "", sentence(change.why)), list);
  }

  const legend = `+ only on ${data.right}   - only on ${data.left}   ~ differs   ? unknown   ` +
    `↑ newer   ↓ older on ${data.right}`;
  return {changes, row, legend};
};
