// The list: search, filters, order, keys; and what is open.
let DATA = { notables: [], kinds: {}, frameworks: {}, controls: {}, signals: {}, lines: [], place: "" };
let marked = () => {};
const start = () => {
  const root = document.documentElement;
  const all = DATA.notables;
  const by = (id) => document.getElementById(id);
  const [text, list, details] = [by("text"), by("list"), by("details")];
  const selects = ["part", "day", "identity", "kind"].map(by);
  const chips = [...document.querySelectorAll(".chips .chip")];
  const PAGE = 100;
  let shown = all, items = [], selected = -1, words = [];

  // ---- search: every word, or "phrase", must be in something that the notable holds
  const leaves = (value, found) => {
    if (value === null || typeof value === "boolean") return found;
    if (typeof value === "object") {
      for (const [name, inner] of Object.entries(value)) {
        if (name === "queries") continue;
        if (!Array.isArray(value)) found.push(name);
        leaves(inner, found);
      }
    } else found.push(String(value));
    return found;
  };
  const texts = new Map();
  const textOf = (n) => {
    if (!texts.has(n)) texts.set(n, leaves(n, []).join("\n").toLowerCase());
    return texts.get(n);
  };
  const wordsOf = (typed) => [...typed.toLowerCase().matchAll(/"([^"]+)"|(\S+)/g)].map((found) => found[1] || found[2]);
  const where = (n) => {
    if (!words.length || `${n.title} ${shortName(n.identity)}`.toLowerCase().includes(words[0])) return null;
    const whole = textOf(n), at = whole.indexOf(words[0]);
    const from = Math.max(whole.lastIndexOf("\n", at) + 1, at - 40);
    return h("span", { class: "hit" }, `${whole.slice(from, at)}`, h("mark", {}, whole.slice(at, at + words[0].length)),
      whole.slice(at + words[0].length, at + 60).split("\n")[0]);
  };
  marked = () => {
    if (typeof Highlight === "undefined") return;
    const ranges = [];
    const walker = document.createTreeWalker(details, NodeFilter.SHOW_TEXT);
    while (words.length && ranges.length < 2000 && walker.nextNode()) {
      const low = walker.currentNode.data.toLowerCase();
      for (const word of words) {
        for (let at = low.indexOf(word); at >= 0; at = low.indexOf(word, at + word.length)) {
          const range = new Range();
          range.setStart(walker.currentNode, at);
          range.setEnd(walker.currentNode, at + word.length);
          ranges.push(range);
        }
      }
    }
    CSS.highlights.set("found", new Highlight(...ranges));
  };

  // ---- the list, drawn as far as it is scrolled
  const itemOf = (n) => h("li", { class: "item", "data-severity": n.severity, "data-kind": n.kind }, h("a", { href: `#${encodeURIComponent(n.short)}`, class: n.severity },
    h("span", { class: "likely" }, n.likelihood > 0 && h("b", {}, likely(n.likelihood)), h("span", {}, n.severity.replace("informational", "info")), n.all_refused && h("span", {}, "all refused")), h("span", { class: "what" }, h("span", { class: "title" }, n.title),
      h("span", { class: "who" }, shortName(n.identity)), n.is_back && h("span", { class: "why" }, clip(n.since, 500)), where(n), h("span", { class: "meta" }, h("span", {}, `#${n.rank}`), h("span", {}, clock(shownOf(n)[0])),
        h("span", {}, n.identity.owner || "no owner"), DATA.confirmed[n.id] && h("b", {}, "confirmed"), workedOn(n) && h("b", {}, workedOn(n)), n.kind !== "compromise" && h("span", { class: "kind" }, DATA.kinds[n.kind])))));
  const handled = (n) => [DATA.confirmed[n.id] && "confirmed", workedOn(n)].filter(Boolean).join(", ");
  const lineOf = (n) => h("li", { class: "item line", "data-severity": n.severity, "data-kind": n.kind }, h("a", { href: `#${encodeURIComponent(n.short)}`, class: n.severity },
    h("span", { class: "likely" }, n.likelihood > 0 && h("b", {}, likely(n.likelihood)), h("span", {}, n.severity.replace("informational", "info"))), h("span", { class: "what" },
      h("span", { class: "title" }, n.title), where(n), h("span", { class: "meta" }, h("span", {}, `since ${n.listed_on || n.first_time.slice(0, 10)}`), handled(n) && h("b", {}, handled(n))))));
  const grow = (to) => {
    const ranked = by("sort").value === "rank";
    while (items.length < Math.min(to, shown.length)) {
      const n = shown[items.length], before = shown[items.length - 1];
      if (ranked && (!before || before.part !== n.part)) more.before(h("li", { class: "part" }, n.part));
      const item = n.is_going_on ? lineOf(n) : itemOf(n);
      more.before(item);
      items.push(item);
    }
    more.hidden = items.length >= shown.length;
  };
  const more = h("li", { class: "more" }, h("button", { type: "button", class: "ghost" }, "Show more"));
  more.firstChild.addEventListener("click", () => grow(items.length + PAGE));
  new IntersectionObserver((seen) => { if (seen.some((one) => one.isIntersecting)) grow(items.length + PAGE); }).observe(more);
  const ORDER = {
    rank: (a, b) => a.rank - b.rank, likelihood: (a, b) => b.likelihood - a.likelihood || a.rank - b.rank, last_time: (a, b) => (a.last_time < b.last_time ? 1 : -1),
    first_time: (a, b) => (a.first_time < b.first_time ? -1 : 1), name: (a, b) => shortName(a.identity).localeCompare(shortName(b.identity)),
  };
  const daysOf = (n) => [...new Set([n.first_time.slice(0, 10), ...(n.revisions || []).map((one) => one.day), n.last_time.slice(0, 10)])];
  const holds = {
    part: (n, value) => n.part === value, day: (n, value) => daysOf(n).includes(value),
    identity: (n, value) => n.identity.id === value || n.members.some((member) => member.id === value), kind: (n, value) => n.kind === value,
  };
  const filter = () => {
    const wanted = chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.dataset.severity);
    const asked = selects.filter((select) => select.value);
    words = wordsOf(text.value);
    shown = all.filter((n) => (!wanted.length || wanted.includes(n.severity)) && asked.every((select) => holds[select.id](n, select.value))
      && words.every((word) => textOf(n).includes(word)));
    if (by("sort").value !== "rank") shown.sort(ORDER[by("sort").value]);
    list.replaceChildren(more);
    items = [];
    selected = -1;
    grow(PAGE);
    const kept = new Set(shown.map((n) => n.short));
    document.querySelectorAll("[data-item]").forEach((mark) => mark.classList.toggle("dim", !kept.has(mark.dataset.item)));
    by("shown").textContent = `${amount(shown.length)} of ${amount(all.length)} shown`;
    current();
    marked();
  };
  const options = (select, pairs) => pairs.forEach(([value, label]) => select.append(h("option", { value }, label)));
  options(by("part"), tally(all.map((n) => [n.part, 1])).map(([part, count]) => [part, `${part} (${count})`]));
  options(by("day"), tally(all.flatMap((n) => daysOf(n).map((day) => [day, 1]))).sort((a, b) => (a[0] < b[0] ? 1 : -1)).map(([day, count]) => [day, `${day} (${count})`]));
  const named = new Map(all.flatMap((n) => [n.identity, ...n.members]).map((one) => [one.id, shortName(one)]));
  options(by("identity"), tally(all.flatMap((n) => [...new Set([n.identity.id, ...n.members.map((one) => one.id)])].map((id) => [id, 1])))
    .map(([id, count]) => [id, `${clip(named.get(id), 60)} (${count})`]));

  // ---- what is open
  const opened = () => {
    const name = decodeURIComponent(location.hash.slice(1));
    return name ? all.findIndex((n) => n.short === name) : -1;
  };
  const select = (n, focus) => {
    selected = n;
    grow(n + 1);
    items.forEach((item, m) => item.firstChild.classList.toggle("selected", m === n));
    if (n < 0 || !items[n]) return;
    if (focus) items[n].firstChild.focus({ preventScroll: true });
    items[n].scrollIntoView({ block: "nearest" });
  };
  const current = () => {
    const open = all[opened()], at = shown.indexOf(open);
    if (open && at >= 0) select(at, false);
    items.forEach((item, m) => {
      if (open && m === at) item.firstChild.setAttribute("aria-current", "true");
      else item.firstChild.removeAttribute("aria-current");
    });
  };
  const show = () => {
    const at = opened();
    if (details.firstChild && details.firstChild.id === `n${at}` && !details.firstChild.nextSibling) return;
    root.classList.toggle("open", at >= 0);
    details.replaceChildren(...(at >= 0 ? [detailOf(all[at], at)] : []));
    current();
    if (at < 0) return;
    details.firstChild.focus({ preventScroll: true });
    details.firstChild.scrollIntoView();
    marked();
  };
  const go = (hash) => {
    if (location.hash !== hash) location.hash = hash;
    show();
  };
  const close = () => {
    const at = selected;
    go("");
    if (at >= 0) select(at, true);
  };
  const keys = { j: () => select(Math.min(selected + 1, shown.length - 1), true), k: () => select(Math.max(selected - 1, 0), true),
    Escape: close, "/": () => text.focus() };
  keys.ArrowDown = keys.j;
  keys.ArrowUp = keys.k;

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.matches("input, select");
    if (typing && event.key === "Escape") { event.target.blur(); return; }
    const inDetail = event.target.closest(".detail") && event.key.startsWith("Arrow");
    if (typing || inDetail || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  chips.forEach((chip) => chip.addEventListener("click", () => {
    chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
    filter();
  }));
  text.addEventListener("input", filter);
  [...selects, by("sort")].forEach((control) => control.addEventListener("change", filter));
  window.addEventListener("hashchange", show);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (!link || link.classList.contains("skip") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(link.getAttribute("href"));
  });

  // ---- out
  const COLUMNS = [["id", (n) => n.id], ["rank", (n) => n.rank], ["severity", (n) => n.severity], ["likelihood", (n) => n.likelihood], ["impact", (n) => n.impact.level], ["kind", (n) => n.kind],
    ["part", (n) => n.part], ["life", (n) => n.life], ["title", (n) => n.title], ["summary", (n) => n.summary], ["identity", (n) => n.identity.name],
    ["identity_id", (n) => n.identity.id], ["provider", (n) => n.identity.provider], ["account", (n) => n.identity.account], ["owner", (n) => n.identity.owner],
    ["first_time", (n) => n.first_time], ["last_time", (n) => n.last_time], ["from", (n) => places(n).map(([source]) => source).join(" ")],
    ["user_agent", (n) => agentsOf(n).join(" | ")], ["refused", (n) => refusedOf(n)[0]], ["odd_calls", (n) => refusedOf(n)[1]],
    ["signals", (n) => n.signals.filter((one) => one.log_odds >= LITTLE).map((one) => one.id).join(" ")],
    ["frameworks", (n) => Object.values(n.frameworks).flat().join(" ")], ["records", (n) => n.record_count]];
  by("csv").addEventListener("click", () => save("notables.csv", csv([COLUMNS.map(([name]) => name), ...shown.map((n) => COLUMNS.map(([, of]) => of(n)))]), "text/csv"));
  by("json").addEventListener("click", () => save("notables.json", `${JSON.stringify(shown, null, 1)}\n`, "application/json"));
  by("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  by("print-all").addEventListener("click", () => {
    details.replaceChildren(...shown.slice(0, 500).map((n) => detailOf(n, all.indexOf(n))));
    grow(shown.length);
    root.classList.add("print-all");
    window.print();
    root.classList.remove("print-all");
    show();
  });

  if (by("scatter") && all.length) {
    const listed = all.filter((n) => n.part === "New" || n.part === "Still open"), fresh = listed.filter((n) => n.part === "New");
    by("scatter").append(scatter(all.filter((n) => n.listed)));
    if (!fresh.length) by("first-title").textContent = listed.length ? "Nothing is new; still open" : "Nothing waits for a verdict";
    by("first").append(...(fresh.length ? fresh : listed).slice(0, 3).map((n) => h("li", {}, h("a", { href: `#${encodeURIComponent(n.short)}` }, badge(n.severity), " ", h("b", {}, n.title)), h("p", {}, n.summary))));
  }
  filter();
  show();
  root.dataset.ready = "true";
};
(async () => {
  const packed = Uint8Array.from(atob(document.getElementById("data").textContent), (char) => char.charCodeAt(0));
  document.getElementById("data").remove();
  DATA = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
  start();
})().catch((error) => {
  document.getElementById("shown").textContent = `This browser cannot show the notables (${error.message}); they are in notables.jsonl, too.`;
});
