(() => {
  const SEVERITIES = ["critical", "high", "medium", "low", "info"];
  const FOLDED = 1;
  const CHUNK = 100;
  const get = (id) => document.getElementById(id);
  const data = JSON.parse(get("data").textContent);
  const text = (number) => data.texts[number];

  function make(tag, cls, ...children) {
    const element = document.createElement(tag);
    if (cls) element.className = cls;
    element.append(...children.filter((child) => child !== null && child !== ""));
    return element;
  }

  // report.js or matrix.js, which comes before this script, defines the changes and their rows.
  const {changes, row, legend, header} = view({data, text, make, SEVERITIES, CHUNK});

  // One card for each section.  It starts with few rows, so that the next section is near.  Once
  // the reader asks for more, rows are created in chunks as they scroll into view.
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
      this.more.addEventListener("click", () => {
        this.isFollowed = true;
        this.extend(CHUNK);
      });
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
      this.isFollowed = section.value !== "";
      this.list.replaceChildren(...(header ? [header()] : []));
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
      // Observe again: the button may have left the view and come back between two callbacks.
      watcher.unobserve(this.more);
      watcher.observe(this.more);
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
      if (!entry.isIntersecting || !owners.get(entry.target).isFollowed) continue;
      owners.get(entry.target).extend(CHUNK);
    }
  }, {rootMargin: "800px"});

  const groups = new Map();
  for (const change of changes) {
    if (!groups.has(change.section)) groups.set(change.section, new Group(change.section));
    groups.get(change.section).changes.push(change);
  }
  const tiles = [...document.querySelectorAll(".tile")];
  const [search, section, role, folded, covered] = ["search", "section", "role", "folded", "covered"].map(get);

  function refresh() {
    const wordsOf = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const off = new Set(tiles.filter((tile) => tile.getAttribute("aria-pressed") === "false")
      .map((tile) => Number(tile.dataset.severity)));
    const visible = [true, folded.checked, covered.checked];
    let shown = 0;
    for (const group of groups.values()) {
      const found = section.value && section.value !== group.name ? [] :
        group.changes.filter((change) => visible[change.part] && !off.has(change.severity) &&
          (!role.value || change.scope.includes(role.value)) &&
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
    tile.title = "Click to show or hide; Shift-click to show only this severity";
    // Changes that policy covers or another change explains are not counted but can be listed.
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
  if ((data.roles || []).length > 1) {
    role.append(new Option("All applications", ""), ...data.roles.map((name) => new Option(name, name)));
    role.hidden = false;
    role.addEventListener("change", refresh);
  }
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
  // A link to a finding opens it, whatever the filters hide.
  function follow() {
    const change = changes.find((item) => item.id === location.hash.slice(1));
    if (!change) return;
    search.value = section.value = role.value = "";
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
  get("legend").textContent = `${legend}      keys: / search, j and k move, Enter opens`;
  get("toolbar").hidden = false;
  refresh();
  follow();
})();
