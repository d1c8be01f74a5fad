"use strict";
// Elements and words. Log values become text nodes only, with every character that hides written out.
// Those of which nothing is seen as well, and marks of a letter beyond four; words.py has the same.
const EMPTY = "\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u2800\\u3164\\ufe00-\\ufe0f\\uffa0\\u{e0100}-\\u{e01ef}";
const HIDING = new RegExp(`[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\\p{Cs}\\p{Co}\\p{Cn}${EMPTY}]`, "gu");
const STACK = /(\p{M}{4})(\p{M}+)/gu;
const clip = (text, length) => (text.length <= length ? text : `${text.slice(0, length - 1)}…`);
const written = (char) => (char === "\t" || char === "\n" ? " "
  : `⟨U+${char.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
const few = (marks, four, more) => four + [...more].map(written).join("");
const visible = (text, limit = 2000) => clip(text, limit).replace(STACK, few).replace(HIDING, written);

const SVG = "http://www.w3.org/2000/svg";
const fill = (element, attributes, children) => {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(visible(String(child))));
  }
  return element;
};
const h = (name, attributes, ...children) => fill(document.createElement(name), attributes || {}, children);
const s = (name, attributes, ...children) => fill(document.createElementNS(SVG, name), attributes || {}, children);

const SHORT_WORDS = new Set(["api", "arn", "iam", "ip", "kms", "mfa", "oidc", "sts"]);
const spoken = (name) => {
  const words = name.split("_").map((word) => (SHORT_WORDS.has(word) ? word.toUpperCase() : word)).join(" ");
  return words.slice(0, 1).toUpperCase() + words.slice(1);
};
const bareName = (name) => {
  const found = /^arn:[^:]*:[^:]*:[^:]*:[^:]*:(.+)$/s.exec(name);
  return found ? found[1] : name;
};
const shortName = (identity) => bareName(identity.name || identity.id);
const signed = (points) => (points ? (points > 0 ? "+" : "\u2212") + Math.abs(points).toFixed(2) : "0.00");
const amount = (number) => number.toLocaleString("en-US");
const clock = (time) => time.slice(0, 16).replace("T", " ");
const second = (time) => time.slice(0, 19).replace("T", " ");
// a decimal is shown where the whole number would hide on which side of a band's line it is
const likely = (likelihood) => (likelihood ? `${DATA.lines.includes(Math.round(likelihood)) ? Number(likelihood.toFixed(1)) : Math.round(likelihood)}%` : "");
const span = (seconds) => {
  const parts = [];
  for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]]) {
    if (seconds >= size) { parts.push(`${Math.floor(seconds / size)} ${unit}`); seconds %= size; }
  }
  return parts.slice(0, 2).join(" ") || "0 s";
};
const since = (time) => Date.parse(time) / 1000;

// A record as its log wrote it, indented without touching a digit: numbers are not read, only moved.
const indented = (raw) => {
  let depth = 0, text = "", quoted = false;
  for (let at = 0; at < raw.length; at += 1) {
    const char = raw[at];
    if (quoted) {
      text += char;
      if (char === "\\") { at += 1; text += raw[at] || ""; } else if (char === "\"") quoted = false;
    } else if (char === "\"") { quoted = true; text += char; }
    else if ((char === "{" || char === "[") && !/^\s*[}\]]/.test(raw.slice(at + 1, at + 9))) {
      depth += 1; text += `${char}\n${"  ".repeat(depth)}`;
    } else if ((char === "}" || char === "]") && !/[{[]\s*$/.test(text)) {
      depth = Math.max(0, depth - 1); text += `\n${"  ".repeat(depth)}${char}`;
    } else if (char === ",") text += `,\n${"  ".repeat(depth)}`;
    else if (char === ":") text += ": ";
    else if (!/\s/.test(char)) text += char;
  }
  return text;
};

const copy = (text, button) => {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "off";
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
  button.focus();
  const before = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = before; }, 1500);
};
const copier = (text, label = "Copy", about = label) => {
  const button = h("button", { type: "button", class: "ghost copy", "aria-label": about }, label);
  button.addEventListener("click", () => copy(typeof text === "function" ? text() : text, button));
  return button;
};

// A cell that a spreadsheet would take for a formula gets an apostrophe before it.
const cell = (value) => {
  const text = value === null || value === undefined ? "" : String(value);
  const safe = typeof value === "string" && /^[\s]*[=+\-@\t\r＝＋－＠]/.test(text) ? `'${text}` : text;
  return /[",\r\n;]/.test(safe) ? `"${safe.replace(/"/g, "\"\"")}"` : safe;
};
const csv = (rows) => `${rows.map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
const save = (name, text, type) => {
  const link = h("a", { download: name, href: URL.createObjectURL(new Blob([text], { type })) });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
};
