// One notable in full, drawn when it is opened.
const badge = (severity) => h("span", { class: `badge ${severity}` }, severity);
const card = (title, about, ...children) => h("section", { class: "card" },
  h("h3", {}, title, about ? [" ", h("span", { class: "muted" }, about)] : null), children);
const head = (...names) => h("thead", {}, h("tr", {}, names.map((name) =>
  h("th", { scope: "col", class: name.endsWith("#") ? "num" : null }, name.replace("#", "")))));
const fact = (name, value, mono) => h("div", {}, h("dt", {}, name), h("dd", { class: mono ? "mono" : null }, value));
const tally = (pairs) => [...pairs.reduce((sum, [name, count]) => sum.set(name, (sum.get(name) || 0) + count), new Map())]
  .sort((a, b) => b[1] - a[1]);

const oddOf = (n) => {
  const odd = n.timeline.filter((entry) => entry.points >= n.odd_from);
  const all = odd.length ? odd : n.timeline;
  const then = all.filter((entry) => entry.time.startsWith(n.face_day)); // the day that the summary tells of
  return then.length ? then : all;
};
const shownOf = (n) => {
  const several = n.tells_calls && n.first_time.slice(0, 10) !== n.last_time.slice(0, 10);
  const odd = several ? oddOf(n) : [];
  return odd.length ? [odd[0].time, odd[odd.length - 1].time] : [n.first_time, n.last_time];
};
const agentsOf = (n) => {
  const odd = oddOf(n).map((entry) => n.events[entry.record_id]).filter(Boolean);
  const found = (odd.length ? odd : Object.values(n.events)).map((event) =>
    /"[^"]*user_?agent[^"]*"\s*:\s*"((?:[^"\\]|\\.){1,400})"/i.exec(event.raw)).filter(Boolean);
  return tally(found.map((match) => [match[1].replace(/\\(["\\/])/g, "$1"), 1])).map(([agent]) => agent);
};
const places = (n) => tally(oddOf(n).map((entry) => [entry.source || "unknown", entry.count]));
const refusedOf = (n) => {
  const odd = oddOf(n);
  const all = odd.reduce((sum, entry) => sum + entry.count, 0);
  return [odd.filter((entry) => entry.outcome !== "success").reduce((sum, entry) => sum + entry.count, 0), all];
};

const headOf = (n, at) => {
  const odd = oddOf(n), [refused, all] = refusedOf(n), agents = agentsOf(n);
  const edge = (entry) => (entry ? [`${second(entry.time)} UTC `, h("span", { class: "mono" }, entry.action)] : "unknown");
  return h("div", { class: `card head ${n.severity}` },
    h("div", { class: "headline" },
      h("p", { class: "crumbs" }, badge(n.severity), h("span", {}, DATA.kinds[n.kind]), h("span", {}, `rank ${n.rank}`),
        h("code", {}, n.short), h("span", {}, n.life, n.closed_why ? `: ${n.closed_why}` : ""),
        DATA.confirmed[n.id] && h("span", { class: "tag" }, `confirmed, by ${DATA.confirmed[n.id]}`),
        n.over_budget && h("span", { class: "tag" }, "over budget"), !n.listed && h("span", { class: "tag quiet" }, n.part.toLowerCase()),
        n.revision > 1 && h("span", {}, `revision ${n.revision}`),
        n.telemetry.provisional && h("span", { class: "provisional" }, "provisional: the last hour is still open")),
      h("h2", { id: `t${at}` }, n.title), n.since && h("p", { class: n.is_back ? "note back" : "note" }, n.since), n.summary.split(/ (?=Why: )/).map((part, nth) => h("p", { class: nth ? "summary muted" : "summary" }, part)),
      n.folded && n.folded.count > 1 && h("p", { class: "note" }, `Stands for ${n.folded.count} of ${n.folded.origin}; the others are not listed, or are named in the notable.`),
      n.folded_into && h("p", { class: "note" }, `One of many of one origin: ${n.folded_into} stands for it in the list.`),
      n.merged_into && h("p", { class: "note" }, `Merged into ${n.merged_into}.`)),
    n.likelihood > 0
      ? h("div", { class: "gauge" }, h("b", {}, likely(n.likelihood)), h("span", {}, "likely"),
        s("svg", { class: "meter", "aria-hidden": "true" }, s("rect", { class: "track", width: "100%", height: 8, rx: 4 }),
          s("rect", { class: "fill", width: `${Math.max(n.likelihood, 3)}%`, height: 8, rx: 4 }),
          [20, 40, 60, 80].map((line) => s("line", { x1: `${line}%`, x2: `${line}%`, y2: 8 }))),
        h("span", {}, `Severity ${n.severity}, impact ${n.impact.level}${n.all_refused ? ", all refused" : ""}`))
      : h("div", { class: "gauge" }, h("span", {}, "claims no intrusion")),
    h("dl", { class: "facts wide" }, fact("Identity", shortName(n.identity), true), fact("Kind", spoken(n.identity.kind)),
      fact("Account", `${n.identity.provider} ${n.identity.account}`),
      fact("Owner", n.identity.owner || "nobody: not in the asset table"),
      n.tells_calls && n.timeline.length > 0 && [odd.length > 1
        ? [fact("First unusual call", edge(odd[0])), fact("Last unusual call", edge(odd[odd.length - 1]))] : fact("Unusual call", edge(odd[0])),
        fact("Refused or failed", `${amount(refused)} of ${n.is_cut ? "at least " : ""}${amount(all)} unusual call${all === 1 ? "" : "s"}`),
        fact("From", places(n).slice(0, 6).map(([source, count]) => [h("span", { class: "mono" }, source), ` ${amount(count)}× `]))],
      agents.length > 0 && fact("User agent", agents.slice(0, 3).map((agent) => h("div", { class: "mono" }, agent))),
      shownOf(n)[1] > shownOf(n)[0] && fact("Lasted", span(since(shownOf(n)[1]) - since(shownOf(n)[0]))),
      n.first_time.slice(0, 10) < shownOf(n)[0].slice(0, 10) && fact("Active since", clock(n.first_time)), fact("Records", amount(n.record_count))));
};

const workedOn = (n) => (n.work ? [n.work.status, n.work.assignee && `assigned to ${n.work.assignee}`].filter(Boolean).join(", ") : "");
const workOf = (n) => n.work && card("Work", workedOn(n), h("div", { class: "scroll" }, h("table", { class: "plain" }, head("Time", "By", "Note"), h("tbody", {},
  n.work.notes.map((one) => h("tr", {}, h("td", { class: "nowrap" }, clock(one.time)), h("td", {}, one.by),
    h("td", {}, [one.text, one.assignee && `assigned to ${one.assignee}`, one.status].filter(Boolean).join("; "))))))));

const commandsOf = (n) => {
  const said = [["Why", `nhi explain ${n.short} ${DATA.place}`], ["Summary with proof", `nhi brief ${n.short} ${DATA.place}`],
    ["What to do", `nhi respond plan ${n.short} ${DATA.place}`],
    ["It was an attack", `nhi feedback ${n.short} confirmed --by YOU --why REASON ${DATA.place}`],
    ["Take it on", `nhi note ${n.short} --assign YOU --status in-progress ${DATA.place}`],
    ["It was harmless", `nhi feedback ${n.short} benign --by YOU --why REASON ${DATA.place}`]];
  return card("Next", "commands to copy", h("ul", { class: "commands" }, said.map(([what, line]) =>
    h("li", {}, h("span", {}, what), h("code", {}, line), copier(line, "Copy", `Copy: ${what}`)))));
};

const LITTLE = 0.1;  // log-odds under which a signal is named, but not shown
const barOf = (signal, zero, scale) => {
  const size = signal.log_odds * scale;
  const side = signal.cannot_tell ? "unknown" : size >= 0 ? "plus" : "minus";
  // What cannot be told still gets a hatched stub, so that it never looks like a zero.
  const width = Math.max(Math.abs(size), signal.cannot_tell ? 4 : 0.6);
  const left = size < 0 ? zero - width : Math.min(zero, 100 - width);
  return h("li", { class: side }, h("span", { class: "name", title: `${signal.id}: ${signal.points} points` }, DATA.signals[signal.id]),
    s("svg", { class: "bar", "aria-hidden": "true" }, s("rect", { class: "track", width: "100%", height: 12 }),
      s("rect", { class: "fill", x: `${left}%`, width: `${width}%`, height: 12 }),
      s("line", { class: "zero", x1: `${zero}%`, x2: `${zero}%`, y2: 12 })),
    h("span", { class: "sum" }, signed(signal.log_odds)),
    h("span", { class: "evidence" }, signal.cannot_tell && [h("b", { class: "tag" }, "cannot tell"), " "], signal.evidence));
};
const whyOf = (n) => {
  if (!n.likelihood) {
    return card("Why", "", h("ul", { class: "points" }, n.signals.map((signal) => h("li", {},
      h("span", { class: "name", title: signal.id }, DATA.signals[signal.id]), h("span", { class: "evidence" }, signal.evidence)))));
  }
  const shares = n.signals.map((signal) => signal.log_odds);
  const low = Math.min(0, ...shares), high = Math.max(0, ...shares), scale = 100 / (high - low || 1);
  const bars = (signals) => h("ul", { class: "points" }, signals.map((signal) => barOf(signal, -low * scale, scale)));
  const some = n.signals.some((signal) => Math.abs(signal.log_odds) >= LITTLE && !signal.cannot_tell);
  const heavy = n.signals.filter((signal) => !some || Math.abs(signal.log_odds) >= LITTLE || signal.cannot_tell);
  const light = n.signals.filter((signal) => !heavy.includes(signal));
  return card("Why: what raises the likelihood", n.sum,
    bars(heavy), light.length > 0 && h("details", { class: "light" },
      h("summary", {}, `${light.length} that add less than ${LITTLE}`), bars(light)),
    n.left_out.signals > 0 && h("p", { class: "muted" }, `${n.left_out.signals} signals that add less are in notables.jsonl.`),
    n.signals.filter((signal) => n.claims.includes(signal.id)).map((signal) =>
      h("p", { class: "muted" }, `Without the records of “${DATA.signals[signal.id]}”: ${signal.without}%.`)),
    (n.likelihood_range || []).length > 0 && h("p", { class: "muted" },
      `Telemetry is missing: with it, the likelihood could be anywhere from ${n.likelihood_range[0]}% to ${n.likelihood_range[1]}%.`),
    h("p", { class: "legend" }, h("span", {}, h("i", { class: "key plus" }), "raises the likelihood"),
      low < 0 && h("span", {}, h("i", { class: "key minus" }), "lowers it"),
      h("span", {}, s("svg", { class: "key", "aria-hidden": "true" }, s("rect", { width: 14, height: 10, fill: "url(#hatch)" })),
        "cannot tell: the telemetry is missing")));
};

const lifeOf = (n) => (n.revisions || []).length > 1 && card("Its history",
  `${n.life}; first seen ${clock(n.first_seen)}, last grown ${clock(n.last_grown)} UTC`,
  h("div", { class: "scroll" }, h("table", { class: "plain" }, head("Day", "Likelihood#", "What was new"), h("tbody", {},
    n.revisions.slice(-30).map((one) => h("tr", {}, h("td", {}, one.day), h("td", { class: "num" }, likely(one.likelihood)), h("td", {}, one.why)))))));

const membersOf = (n) => n.members.length > 0 && card(`One intrusion across ${n.members.length} identities`, "in the order in which they became unusual",
  h("ol", { class: "members" }, n.members.map((member) => h("li", {}, h("span", { class: "tag quiet" }, member.provider), " ",
    h("b", { class: "mono" }, shortName(member)), " ", h("span", { class: "muted" }, spoken(member.kind), member.account ? `, ${member.account}` : "")))),
  h("details", {}, h("summary", {}, "What links them"), h("div", { class: "scroll" }, h("table", { class: "plain" },
    head("From", "To", "Both know", "Records"), h("tbody", {}, n.links.map((link) => h("tr", {}, h("td", { class: "mono" }, link.source),
      h("td", { class: "mono" }, link.target), h("td", {}, spoken(link.kind), " ", h("span", { class: "mono" }, link.value)),
      h("td", { class: "mono" }, link.record_ids.join(", ")))))))));

const placeOf = (event) => event.index ? `${event.index}/${event.document}` : event.file ? `${event.file}:${event.line}` : "";
const rawOf = (n, id) => {
  const event = n.events[id];
  if (!event) return h("p", { class: "muted" }, `Record ${id || "unknown"}: its raw form is not in this page; the searches below find it.`);
  if (event.lost) return h("p", { class: "muted" }, `Record ${id} was read from ${event.file}; ${event.lost}. The searches below find it.`);
  const where = placeOf(event);
  const text = event.raw.startsWith("{") || event.raw.startsWith("[") ? indented(event.raw) : event.raw;
  const lines = h("pre", { class: "raw" });
  lines.textContent = text.split("\n").map((line) => visible(line, 20000)).join("\n");
  return h("div", {}, h("p", { class: "row" }, h("code", { class: "where" }, where), copier(event.raw, "Copy record"), copier(where, "Copy place")),
    lines, event.cut && h("p", { class: "muted" }, "Cut here: the rest is in the original."));
};
// The attack without the routine around it, unless all is asked for.
const unusualOf = (n) => {
  const unusual = n.tells_calls ? n.timeline.filter((entry) => entry.points >= n.odd_from) : [];
  return unusual.length ? unusual : n.timeline;
};
const eventsOf = (n) => {
  if (!n.timeline.length) return null;
  const unusual = unusualOf(n), box = h("div", {});
  const routine = n.timeline.length - unusual.length, calls = n.timeline.reduce((sum, entry) => sum + entry.count, 0) - unusual.reduce((sum, entry) => sum + entry.count, 0);
  const draw = (every) => box.replaceChildren(cardOfEvents(every ? n : { ...n, timeline: unusual }, n.timeline, routine > 0 && h("p", { class: "row" },
    h("span", { class: "muted routine" }, every ? "All calls are shown." : `Left out: ${amount(calls)} routine call${calls === 1 ? "" : "s"} in ${amount(routine)} row${routine === 1 ? "" : "s"}.`), toggle(every))));
  const toggle = (every) => {
    const button = h("button", { type: "button", class: "ghost", "aria-pressed": String(every) }, every ? "Show unusual calls only" : "Show all calls");
    button.addEventListener("click", () => { draw(!every); marked(); box.querySelector("[aria-pressed]").focus(); });
    return button;
  };
  draw(false);
  return box;
};
const cardOfEvents = (n, every, leftOut) => {
  const rows = n.timeline.map((entry) => {
    const open = h("button", { type: "button", class: "ghost open", "aria-expanded": "false" }, (n.events[entry.record_id] || {}).raw ? "Raw" : "Id");
    const row = h("tr", { class: `${hotness(n, entry.points)} event` }, h("td", { class: "nowrap" }, second(entry.time)),
      h("td", { class: "mono" }, entry.action), h("td", { class: entry.outcome }, entry.outcome), h("td", { class: "mono" }, entry.source),
      h("td", { class: "num" }, amount(entry.count)), h("td", { class: "num" }, signed(entry.points)), h("td", {}, open));
    open.addEventListener("click", () => {
      const shown = row.nextElementSibling && row.nextElementSibling.classList.contains("opened");
      if (shown) row.nextElementSibling.remove();
      else row.after(h("tr", { class: "opened" }, h("td", { colspan: 7 }, rawOf(n, entry.record_id))));
      open.setAttribute("aria-expanded", String(!shown));
      marked();
    });
    return { entry, row, open };
  });
  const show = (entry) => {
    const found = rows.find((one) => one.entry === entry);
    table.open = true;
    if (found.open.getAttribute("aria-expanded") === "false") found.open.click();
    found.row.scrollIntoView({ block: "center" });
  };
  const cells = [["datetime", "timestamp_desc", "message", "action", "outcome", "source", "count", "points", "record_id", "place"],
    ...every.map((e) => { const event = n.events[e.record_id] || {}; return [e.time, "first of its kind in the hour",
      `${e.action} ${e.outcome} from ${e.source}`, e.action, e.outcome, e.source, e.count, e.points, e.record_id, placeOf(event)]; })];
  const out = h("button", { type: "button", class: "ghost timeline-csv" }, "CSV");
  out.addEventListener("click", () => save(`${n.short}-timeline.csv`, csv(cells), "text/csv"));
  const table = h("details", { class: "events", open: n.timeline.length <= 30 }, h("summary", {}, `${n.timeline.length} row${n.timeline.length === 1 ? "" : "s"} (a call and hour each), with the raw events`),
    h("p", { class: "row" }, out, h("span", { class: "muted" }, "one row for each kind of call and hour; a coloured row is unusual; the CSV holds all rows")),
    h("div", { class: "scroll" }, h("table", { class: "plain" }, head("Time", "Action", "Outcome", "From", "Count#", "Points#", "Event"),
      h("tbody", {}, rows.map((one) => one.row)))));
  return card("What happened", `UTC; size by count, red by points; drag over a stretch to zoom${n.left_out.timeline ? `; ${n.left_out.timeline} entries with fewer points omitted` : ""}`,
    leftOut, timeline(n, show), h("p", { class: "legend" }, h("span", {}, h("i", { class: "dot hot" }), `very odd: ${rounded(strongOf(n))} points or more`), h("span", {}, h("i", { class: "dot warm" }), `odd: ${rounded(n.odd_from)} points or more`),
      h("span", {}, h("i", { class: "dot success" }), "usual"), h("span", {}, h("i", { class: "dot denied" }), "hollow: refused or failed")), table);
};

const valueOf = (value, about, fresh) => h("span", { class: fresh ? "value new" : "value" }, clip(value, 80), fresh && h("b", {}, "new"), h("i", {}, about));
const hourOf = (d, value) => (d.name === "hour" ? `${value.padStart(2, "0")}:00` : value);
const sideOf = (name, values, none) => h("td", { "data-side": name }, values.slice(0, 8),
  !values.length && h("span", { class: "muted" }, none), values.length > 8 && h("span", { class: "muted" }, `and ${values.length - 8} more`));
const usualOf = (n) => {
  const usual = n.usual;
  return card("Usual against observed", usual.active_days ? `${usual.active_days} active days since ${usual.first_seen ? clock(usual.first_seen) : "unknown"}`
    : "no history: first seen here",
  usual.dimensions.length > 0 && h("table", { class: "compare" }, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, h("span", { class: "sr" }, "Dimension")),
    h("th", { scope: "col" }, "Usual"), h("th", { scope: "col" }, "Observed here"))), h("tbody", {}, usual.dimensions.filter((d) => d.usual.length || d.observed.length).map((d) => h("tr", {},
    h("th", { scope: "row" }, spoken(d.name), d.identity && h("span", { class: "muted" }, ` ${shortName(n.members.find((one) => one.id === d.identity))}`)), sideOf("Usual", d.usual.map((v) => valueOf(hourOf(d, v.value), `(${v.days} day${v.days === 1 ? "" : "s"})`, false)), "nothing known"),
    sideOf("Observed here", d.observed.map((v) => valueOf(hourOf(d, v.value), `${amount(v.count)}×`, v.new)), "nothing"))))),
  usual.instead ? h("p", { class: "muted" }, `A normal day for it: ${usual.instead.text}.`)
    : usual.likelihood !== null && h("p", { class: "muted" }, `With its usual behaviour this identity's likelihood would be ${usual.likelihood}%.`));
};

const huntOf = (n) => {
  if (!n.queries.length) return null;
  const languages = Object.keys(n.queries[0][1]);
  const body = h("div", {});
  const show = (language) => {
    body.replaceChildren(...n.queries.map(([what, found]) => h("div", { class: "query" }, h("div", { class: "row" }, h("b", {}, `${language}: ${what}`),
      copier(found[language], "Copy", `Copy ${language}: ${what}`)), h("pre", { class: "raw" }, found[language]))));
    tabs.forEach((tab) => tab.setAttribute("aria-pressed", String(tab.textContent === language)));
  };
  const tabs = languages.map((language) => {
    const tab = h("button", { type: "button", class: "chip", "aria-pressed": "false" }, language);
    tab.addEventListener("click", () => show(language));
    return tab;
  });
  show(languages[0]);
  return card("Hunt on", "searches to copy: by the records' own ids, and by what the log calls the identity", h("div", { class: "chips hunt" }, tabs), body);
};

const controlsOf = (n) => card("What to do", "", h("ul", { class: "controls" }, n.controls.map((c) => {
  const [label, meaning] = DATA.controls[c.id];
  return h("li", { class: c.status }, h("div", {}, h("b", {}, c.heading), c.required && [" ", h("span", { class: "tag" }, "required")], " ",
    h("span", { class: "tag quiet" }, spoken(c.status))), h("p", {}, c.reason), meaning && c.heading === label && !/this intrusion made/i.test(c.reason) && h("p", { class: "muted" }, meaning));
})));

const impactOf = (n) => h("div", { class: "pair" },
  card("Impact", "", h("table", { class: "plain" }, h("tbody", {}, ["level", "criticality", "environment", "privilege", "reach"].map((name) =>
    h("tr", {}, h("th", { scope: "row" }, spoken(name)), h("td", {}, n.impact[name] || "unknown"))))),
  h("p", { class: "muted" }, n.why_impact), n.why_severity && h("p", { class: "muted" }, n.why_severity)),
  card("Frameworks", "", h("ul", { class: "frameworks" }, Object.values(n.frameworks).flat().map((id) =>
    h("li", {}, h("code", {}, id), " ", h("span", {}, DATA.frameworks[id]))))));

const receiptOf = (n) => {
  const more = n.record_ids.slice(20);
  return card("Records and provenance", "",
    h("p", {}, `Logs: ${n.telemetry.sources.join(", ") || "unknown"}`, n.telemetry.lag !== null && `, median delay ${span(n.telemetry.lag)}`, ".",
      n.telemetry.missing.length > 0 && [" ", h("b", { class: "tag" }, "missing"), ` ${n.telemetry.missing.join(", ")}`]),
    h("div", { class: "records" }, h("div", { class: "row" }, h("b", {}, `${amount(n.record_count)} records`), " ", copier(() => n.record_ids.join("\n"), "Copy ids")),
      h("div", { class: "ids" }, n.record_ids.slice(0, 20).map((id) => h("code", {}, id)),
        more.length > 0 && h("details", {}, h("summary", {}, `${more.length} more`), more.map((id) => h("code", {}, id)))),
      n.record_count > n.record_ids.length && h("p", { class: "muted" }, `The ids with most points; the log holds all ${amount(n.record_count)}.`)),
    h("details", {}, h("summary", {}, "Provenance: model, baseline and hashes, which nhi verify recomputes"), h("table", { class: "plain receipt" }, h("tbody", {}, [
      ["Notable", n.id], ["Identity", n.identity.id], ["Model", `${n.model.id} ${n.model.sha256}`], ["Baseline", n.baseline.id],
      ["Signals hash", n.receipt.signals], ["Baseline hash", n.receipt.baseline], ["Model hash", n.receipt.model],
      ["First written", `${clock(n.created)} UTC`], n.last_time > n.created && ["Last changed", `${clock(n.last_time)} UTC`],
    ].filter(Boolean).map(([name, value]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, h("code", {}, value))))))));
};

const detailOf = (n, at) => h("article", { class: "detail card-stack", id: `n${at}`, tabindex: -1, "aria-labelledby": `t${at}` },
  h("a", { class: "back", href: "#" }, "← Back to the list"), headOf(n, at), workOf(n), whyOf(n), lifeOf(n), membersOf(n), eventsOf(n),
  usualOf(n), controlsOf(n), commandsOf(n), huntOf(n), impactOf(n), receiptOf(n));
