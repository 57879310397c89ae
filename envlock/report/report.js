"use strict";
(() => {
  const SEVERITIES = ["critical", "high", "medium", "low", "info"];
  const SIGNS = {"+": "s-add", "-": "s-del", "~": "s-mod", "?": "s-unk", "↑": "s-up", "↓": "s-down"};
  const LISTED = 0, FOLDED = 1;
  const CHUNK = 100;
  const get = (id) => document.getElementById(id);
  const data = JSON.parse(get("data").textContent);
  const text = (number) => data.texts[number];
  const changes = data.rows.map((row) => ({
    part: row[0], id: row[1], section: text(row[2]), key: row[3], field: row[4], sign: row[5],
    left: row[6], right: row[7], severity: row[8], rule: text(row[9]), why: text(row[10]),
    fix: row[11], by: text(row[12]), status: text(row[13]), policy: text(row[14]),
    moved: text(row[15]), hay: "",
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
  // Of the changes of one record one tells what the record explains: that of a file's content.
  const followersOf = (change) =>
    leaders.get(record(change)) === change ? explained.get(record(change)) || [] : [];

  function make(tag, cls, ...children) {
    const element = document.createElement(tag);
    if (cls) element.className = cls;
    element.append(...children.filter((child) => child !== null && child !== ""));
    return element;
  }

  // The part of two values that differs, in whole words: [shared start, left, right, shared end].
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
    if (change.moved) name.append(make("span", "tag", `moved: ${change.moved}`));
    const count = followersOf(change).length;
    if (count) name.append(make("span", "tag", `explains ${count}`));
    const details = make("details", change.part === LISTED ? "" : "aside", make("summary", "",
      make("span", `sign ${SIGNS[change.sign]}`, change.sign),
      make("span", `pill ${severity}`, severity), name, make("span", "value", ...value(change)),
      loud(change) ? make("span", "reason", `${sentence(change.why)} ${change.fix && `Fix: ${change.fix}`}`) : ""));
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
    if (change.fix && !loud(change)) say("fix", change.fix);
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

  // One card for each section; its rows are made a chunk at a time, as they come into view.
  class Group {
    constructor(name) {
      this.name = name;
      this.changes = [];
      this.found = [];
      this.made = 0;
      this.count = make("span", "count");
      this.button = make("button", "", data.titles[name], this.count);
      this.button.type = "button";
      this.list = make("ul");
      this.more = make("button", "more");
      this.more.type = "button";
      this.element = make("section", "group", make("h2", "", this.button), this.list, this.more);
      this.button.addEventListener("click", () => this.open(!this.isOpen));
      this.more.addEventListener("click", () => this.extend(CHUNK));
      watcher.observe(this.more);
      owners.set(this.more, this);
      this.open(true);
    }
    open(isOpen) {
      this.isOpen = isOpen;
      this.button.setAttribute("aria-expanded", String(isOpen));
      this.list.hidden = !isOpen;
      this.refresh();
    }
    show(found) {
      this.found = found;
      this.made = 0;
      this.list.replaceChildren();
      this.element.hidden = !found.length;
      const counts = SEVERITIES.map((severity, rank) =>
        [found.filter((change) => change.severity === rank).length, severity]);
      this.count.textContent = counts.filter(([n]) => n).map(([n, s]) => `${n.toLocaleString("en")} ${s}`).join(" · ");
      if (found.length) this.extend(this.isOpen ? 20 : 0);
    }
    extend(number) {
      const next = this.found.slice(this.made, this.made + number);
      this.made += next.length;
      this.list.append(...next.map(row));
      this.refresh();
    }
    refresh() {
      const left = this.found.length - this.made;
      this.more.hidden = !this.isOpen || left <= 0;
      this.more.textContent = `${left.toLocaleString("en")} more`;
    }
  }

  const owners = new Map();
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      owners.get(entry.target).extend(CHUNK);
      // It may still be in view after the chunk: look again.
      watcher.unobserve(entry.target);
      watcher.observe(entry.target);
    }
  }, {rootMargin: "800px"});

  const groups = new Map();
  for (const change of changes) {
    if (!groups.has(change.section)) groups.set(change.section, new Group(change.section));
    groups.get(change.section).changes.push(change);
  }
  const tiles = [...document.querySelectorAll(".tile")];
  const [search, section, folded, covered] = ["search", "section", "folded", "covered"].map(get);

  function refresh() {
    const wordsOf = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const off = new Set(tiles.filter((tile) => tile.getAttribute("aria-pressed") === "false")
      .map((tile) => Number(tile.dataset.severity)));
    const visible = [true, folded.checked, covered.checked];
    let shown = 0;
    for (const group of groups.values()) {
      const found = section.value && section.value !== group.name ? [] :
        group.changes.filter((change) => visible[change.part] && !off.has(change.severity) &&
          wordsOf.every((word) => change.hay.includes(word)));
      group.show(found);
      shown += found.length;
    }
    const total = changes.length.toLocaleString("en");
    get("shown").textContent = `${shown.toLocaleString("en")} of ${total} changes`;
    nothing.hidden = shown > 0;
  }

  const nothing = make("p", "empty", changes.length ? "Nothing matches." : "Nothing differs.");
  const main = get("findings");
  main.replaceChildren(...[...groups.values()].map((group) => group.element), nothing);

  section.append(new Option("All sections", ""));
  for (const name of groups.keys()) section.append(new Option(data.titles[name], name));
  for (const [box, part, words] of [[folded, 1, "explained"], [covered, 2, "covered by policy"]]) {
    const count = changes.filter((change) => change.part === part).length;
    const label = get(`${box.id}-label`);
    label.hidden = !count;
    label.querySelector("span").textContent = `${count.toLocaleString("en")} ${words}`;
    box.addEventListener("change", refresh);
  }
  for (const tile of tiles) {
    tile.title = "Show or hide; with Shift only this";
    // What only policy covers or another change explains has no count and can still be listed.
    tile.disabled = !changes.some((change) => change.severity === Number(tile.dataset.severity));
    tile.addEventListener("click", (event) => {
      if (event.shiftKey) for (const other of tiles) other.setAttribute("aria-pressed", String(other === tile));
      else tile.setAttribute("aria-pressed", String(tile.getAttribute("aria-pressed") === "false"));
      refresh();
    });
  }
  let timer = 0;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, 80);
  });
  section.addEventListener("change", refresh);
  get("toggle").addEventListener("click", () => {
    const open = ![...groups.values()].some((group) => group.isOpen);
    for (const group of groups.values()) group.open(open);
    get("toggle").textContent = open ? "Collapse all" : "Expand all";
  });
  get("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" :
      matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && event.target === search) {
      search.value = "";
      refresh();
    }
    if (event.target.matches("input, select")) return;
    if (event.key === "/") {
      event.preventDefault();
      search.focus();
    }
    const step = {j: 1, k: -1}[event.key];
    if (step) {
      const rows = [...main.querySelectorAll("summary")].filter((item) => item.offsetParent);
      const at = rows.indexOf(document.activeElement);
      rows[Math.max(0, Math.min(rows.length - 1, at + step))]?.focus();
    }
  });
  // A link to a finding opens it, whatever is filtered.
  function follow() {
    const change = changes.find((item) => item.id === location.hash.slice(1));
    if (!change) return;
    search.value = section.value = "";
    for (const tile of tiles) tile.setAttribute("aria-pressed", "true");
    if (change.part === FOLDED) folded.checked = true;
    if (change.part > FOLDED) covered.checked = true;
    refresh();
    const group = groups.get(change.section);
    group.open(true);
    const missing = group.found.indexOf(change) + 1 - group.made;
    if (missing > 0) group.extend(missing);
    const details = get(change.id);
    details.open = true;
    details.scrollIntoView({block: "center"});
  }
  addEventListener("hashchange", follow);
  addEventListener("beforeprint", () => {
    for (const group of groups.values()) if (group.isOpen) group.extend(group.found.length);
  });
  get("legend").textContent =
    `+ only on ${data.right}   - only on ${data.left}   ~ differs   ? unknown   ↑ newer   ↓ older on ${data.right}` +
    "      keys: / search, j and k move, Enter opens";
  get("toolbar").hidden = false;
  refresh();
  follow();
})();
