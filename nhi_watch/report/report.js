"use strict";
(() => {
  const root = document.documentElement;
  const items = [...document.querySelectorAll(".item")];
  const links = items.map((item) => item.querySelector("a"));
  const texts = items.map((item, n) =>
    `${item.textContent} ${document.getElementById(`n${n}`).querySelector(".head").textContent}`.toLowerCase());
  const text = document.getElementById("text");
  const kind = document.getElementById("kind");
  const chips = [...document.querySelectorAll(".chip")];
  const current = () => links.findIndex((link) => link.getAttribute("href") === location.hash);
  let selected = -1;

  const select = (n) => {
    selected = n;
    links.forEach((link, m) => link.classList.toggle("selected", m === n));
    if (n >= 0) {
      links[n].focus({ preventScroll: true });
      links[n].scrollIntoView({ block: "nearest" });
    }
  };
  const move = (step) => {
    for (let n = selected + step; n >= 0 && n < items.length; n += step) {
      if (!items[n].hidden) return select(n);
    }
  };
  const opened = () => {
    const n = current();
    root.classList.toggle("open", n >= 0);
    links.forEach((link, m) => {
      if (m === n) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
    if (n < 0) return;
    selected = n;
    links.forEach((link, m) => link.classList.toggle("selected", m === n));
    document.getElementById(`n${n}`).focus({ preventScroll: true });
    links[n].scrollIntoView({ block: "nearest" });
    document.getElementById(`n${n}`).scrollIntoView();
  };
  const close = () => {
    const n = current();
    if (location.hash) location.hash = "";
    if (n >= 0) select(n);
  };
  const filter = () => {
    const wanted = chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.dataset.severity);
    const needle = text.value.trim().toLowerCase();
    let shown = 0;
    items.forEach((item, n) => {
      item.hidden = (wanted.length > 0 && !wanted.includes(item.dataset.severity))
        || Boolean(kind && kind.value && kind.value !== item.dataset.kind)
        || !texts[n].includes(needle);
      shown += item.hidden ? 0 : 1;
    });
    document.querySelectorAll("[data-item]").forEach((mark) =>
      mark.classList.toggle("dim", items[Number(mark.dataset.item)].hidden));
    document.getElementById("shown").textContent = `${shown} of ${items.length} shown`;
  };
  const keys = { j: () => move(1), ArrowDown: () => move(1), k: () => move(-1), ArrowUp: () => move(-1),
    Escape: close, "/": () => text.focus() };

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
  if (kind) kind.addEventListener("change", filter);
  window.addEventListener("hashchange", opened);

  document.getElementById("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  document.getElementById("print-all").addEventListener("click", () => {
    root.classList.add("print-all");
    window.print();
    root.classList.remove("print-all");
  });

  const tell = (event) => {
    const mark = event.target.closest(".mark");
    if (mark) mark.closest(".scroll").nextElementSibling.textContent = mark.querySelector("title").textContent;
  };
  document.addEventListener("mouseover", tell);
  document.addEventListener("focusin", tell);

  const copied = (button) => {
    const before = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = before; }, 1500);
  };
  document.querySelectorAll(".copy").forEach((button) => button.addEventListener("click", () => {
    const ids = [...document.getElementById(button.dataset.copy).querySelectorAll("code")].map((code) => code.textContent);
    const area = document.createElement("textarea");
    area.value = ids.join("\n");
    area.className = "off";
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
    copied(button);
  }));
  opened();
})();
