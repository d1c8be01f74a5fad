// Circles over lanes, drawn from plain numbers; a timeline that zooms.
const STEPS = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800, 2592000];
const LANES = 12;
const isNarrow = () => window.innerWidth < 600;  // a phone's page holds a picture whole, too
const axis = (first, last, left, right) => {
  const at = (time) => left + ((time - first) / (last - first || 1)) * (right - left);
  const time = (x) => first + ((x - left) / (right - left)) * (last - first);
  const most = Math.min(7, (right - left) / 90);
  const step = STEPS.find((one) => (last - first) / one <= most) || Math.ceil((last - first) / most);
  const label = (moment) => {
    const text = new Date(moment * 1000).toISOString();
    if (step >= 86400) return text.slice(5, 10);
    const clockTime = text.slice(11, step < 60 ? 19 : 16);
    return last - first <= 86400 ? clockTime : `${text.slice(5, 10)} ${clockTime}`;
  };
  const ticks = [];
  for (let moment = Math.ceil(first / step) * step; moment <= last; moment += step) {
    ticks.push([at(moment), label(moment)]);
  }
  return { at, time, ticks };
};
const padded = (times) => {
  const first = Math.min(...times), last = Math.max(...times);
  const pad = Math.max((last - first) / 25, 60);
  return [Math.max(first - pad, 0), last + pad];
};
const told = (entry) => `${clock(entry.time)} ${entry.action}${entry.count === 1 ? "" : `, ${amount(entry.count)} times`}: ${
  entry.outcome} from ${entry.source || "unknown"}, ${signed(entry.points)} points`;
const strongOf = (n) => 2 * n.odd_from;
const rounded = (points) => Number(points.toFixed(1));
const hotness = (n, points) => (points >= strongOf(n) ? "hot" : points >= n.odd_from ? "warm" : "calm");

const READOUT = "Point at a circle, or move to it with Tab, to read it here.";
const frame = (kind, label, picture) => {
  const readout = h("p", { class: "readout", "aria-hidden": "true" }, READOUT);
  const box = h("div", { class: "scroll", role: "group", "aria-label": label }, picture);
  const tell = (event) => {
    const mark = event.target.closest(".mark");
    if (mark) readout.textContent = mark.querySelector("title").textContent;
  };
  box.addEventListener("mouseover", tell);
  box.addEventListener("focusin", tell);
  return h("div", { class: kind }, box, readout);
};

const timeline = (n, open) => {
  const who = new Map(n.members.map((member) => [member.id, shortName(member)]));
  const order = new Map(n.members.map((member, at) => [member.id, at]));
  const lane = (entry) => `${entry.identity || ""}\n${entry.action}`;
  const weight = new Map();
  n.timeline.forEach((entry) => weight.set(lane(entry), Math.max(weight.get(lane(entry)) ?? -Infinity, entry.points)));
  const every = [...new Map([...n.timeline].reverse().map((entry) => [lane(entry), entry])).entries()].reverse();
  const room = every.length <= LANES ? LANES : LANES - 1;
  // The lanes with most points, in the order in which they began.
  const kept = new Set([...every].sort((a, b) => weight.get(b[0]) - weight.get(a[0])).slice(0, room).map(([name]) => name));
  const lanes = every.filter(([name]) => kept.has(name)).sort((a, b) => (order.get(a[1].identity) ?? 0) - (order.get(b[1].identity) ?? 0));
  const place = new Map(every.map(([name]) => [name, lanes.length]));
  lanes.forEach(([name], at) => place.set(name, at));
  const actor = (entry) => (entry.identity ? `${clip(who.get(entry.identity) || bareName(entry.identity), isNarrow() ? 9 : 20)}: ` : "");
  const labels = lanes.map(([, entry]) => `${actor(entry)}${entry.action}`);
  if (every.length > room) labels.push("other actions");
  const [left, width, row, letters] = isNarrow() ? [210, 580, 30, 27] : [300, 1000, 30, 40];
  const height = 24 + row * labels.length + 14;
  const whole = padded(n.timeline.map((entry) => since(entry.time)));
  let range = whole;
  const picture = s("svg", { class: "picture timeline", viewBox: `0 0 ${width} ${height + 26}` });
  const draw = () => {
    const scale = axis(range[0], range[1], left + 16, width - 24);
    const marks = n.timeline.filter((entry) => since(entry.time) >= range[0] && since(entry.time) <= range[1]);
    picture.replaceChildren(...labels.map((label, at) => [
      s("line", { class: "lane", x1: left, x2: width - 8, y1: 24 + row * at, y2: 24 + row * at }),
      s("text", { class: "lane-name", x: left - 12, y: 28 + row * at, "text-anchor": "end" }, clip(label, letters)),
    ]).flat(), ...scale.ticks.map(([x, label]) => [
      s("line", { class: "tick", x1: x, x2: x, y1: 6, y2: height }),
      s("text", { class: "tick-name", x, y: height + 18, "text-anchor": "middle" }, label),
    ]).flat(), ...marks.map((entry) => {
      const mark = s("g", { class: `mark ${entry.outcome} ${hotness(n, entry.points)}`, tabindex: 0, role: "img" },
        s("title", {}, told(entry)),
        s("circle", { cx: scale.at(since(entry.time)).toFixed(1), cy: 24 + row * place.get(lane(entry)),
          r: Math.min(4.5 + 1.6 * Math.log2(Math.max(entry.count, 1)) ** 0.8, 13).toFixed(1) }));
      mark.addEventListener("click", () => open(entry));
      return mark;
    }));
    reset.disabled = range === whole;
    picture.dataset.from = new Date(range[0] * 1000).toISOString();
    picture.dataset.to = new Date(range[1] * 1000).toISOString();
  };
  const zoom = (factor, middle) => {
    const centre = middle ?? (range[0] + range[1]) / 2;
    const wide = Math.min((range[1] - range[0]) * factor, whole[1] - whole[0]);
    if (wide < 2) return;
    const share = (centre - range[0]) / (range[1] - range[0]);
    const first = Math.min(Math.max(centre - wide * share, whole[0]), whole[1] - wide);
    range = wide >= whole[1] - whole[0] ? whole : [first, first + wide];
    draw();
  };
  const shift = (share) => {
    const wide = range[1] - range[0];
    const first = Math.min(Math.max(range[0] + wide * share, whole[0]), whole[1] - wide);
    range = range === whole ? whole : [first, first + wide];
    draw();
  };
  const button = (label, about, act) => {
    const made = h("button", { type: "button", class: "ghost", "aria-label": about, title: about }, label);
    made.addEventListener("click", act);
    return made;
  };
  const reset = button("All", "Show the whole timeline", () => { range = whole; draw(); });
  const bar = h("span", { class: "zoom" }, button("−", "Zoom out", () => zoom(2)), button("+", "Zoom in", () => zoom(0.5)),
    button("←", "Earlier", () => shift(-0.5)), button("→", "Later", () => shift(0.5)), reset);
  // Dragging over a stretch of time zooms into it.
  let from = null;
  const moment = (event) => {
    const box = picture.getBoundingClientRect();
    return axis(range[0], range[1], left + 16, width - 24).time(((event.clientX - box.left) / box.width) * width);
  };
  picture.addEventListener("pointerdown", (event) => { from = moment(event); });
  picture.addEventListener("pointerup", (event) => {
    const to = moment(event);
    if (from !== null && Math.abs(to - from) > (range[1] - range[0]) / 50) {
      range = [Math.max(Math.min(from, to), whole[0]), Math.min(Math.max(from, to), whole[1])];
      draw();
    }
    from = null;
  });
  picture.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.5 : 1 / 1.5, moment(event));
  }, { passive: false });
  draw();
  return h("div", {}, bar, frame("drawn", "Timeline, one lane for each action", picture));
};

const SIZES = { low: 6, medium: 8, high: 10.5, critical: 13 };
const scatter = (notables) => {
  const drawn = notables.filter((n) => n.likelihood > 0).slice(0, 1000);  // posture and blind spots claim no intrusion
  if (!drawn.length) return h("p", { class: "muted" }, "Nothing in the list claims an intrusion.");
  const [width, height, left, top] = [isNarrow() ? 580 : 1000, 320, 110, 16];
  const inner = height - top - 40;
  const [first, last] = padded(drawn.map((n) => since(shownOf(n)[0])));
  const scale = axis(first, last, left, width - 30);
  const level = (likelihood) => (top + inner * (1 - likelihood / 100)).toFixed(1);
  return frame("drawn", "Notables by time and likelihood", s("svg", { class: "picture scatter", viewBox: `0 0 ${width} ${height}` },
    [80, 60, 40, 20, 0].map((low) => [s("line", { class: "lane", x1: left, x2: width - 8, y1: level(low), y2: level(low) }),
      s("text", { class: "lane-name", x: left - 12, y: Number(level(low)) + 4, "text-anchor": "end" }, `${low}%`)]),
    scale.ticks.map(([x, label]) => [s("line", { class: "tick", x1: x, x2: x, y1: 6, y2: height - 34 }),
      s("text", { class: "tick-name", x, y: height - 14, "text-anchor": "middle" }, label)]),
    drawn.map((n) => s("a", { class: `mark ${n.severity}`, href: `#${encodeURIComponent(n.short)}`, "data-item": n.short },
      s("title", {}, `${n.rank}. ${clip(n.title, 100)} (${likely(n.likelihood)} ${n.severity}, ${clock(shownOf(n)[0])})`),
      s("circle", { cx: scale.at(since(shownOf(n)[0])).toFixed(1), cy: level(n.likelihood), r: SIZES[n.impact.level] })))));
};
