"use strict";
/* What every page has: its data, a tip that follows the pointer, tables that sort and filter. */
const data = JSON.parse(document.getElementById("data").textContent);
const tip = document.getElementById("tip");

function showTip(text, x, y, picture) {
  tip.textContent = text;
  if (picture) {
    const image = new Image();
    image.src = picture;
    image.alt = "";
    tip.prepend(image);
  }
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  const left = Math.min(x + 14, innerWidth - box.width - 6);
  const above = y + 18 + box.height > innerHeight;
  tip.style.left = Math.max(6, left) + "px";
  tip.style.top = (above ? y - box.height - 12 : y + 18) + "px";
}

function hideTip() {
  tip.hidden = true;
}

function tell(event) {
  const marked = event.target.closest && event.target.closest("[data-tip]");
  if (marked) showTip(marked.dataset.tip, event.clientX, event.clientY);
  else if (!event.target.closest || !event.target.closest("canvas, [data-points]")) hideTip();
}

document.addEventListener("pointermove", tell);
document.addEventListener("pointerdown", tell); /* a finger points without moving */
addEventListener("keydown", (event) => event.key === "Escape" && hideTip());
addEventListener("scroll", hideTip, { passive: true });

function cellValue(row, column) {
  const cell = row.cells[column];
  return cell.dataset.value === undefined ? cell.textContent.trim() : Number(cell.dataset.value);
}

function compareCells(a, b) {
  if (typeof a === "number") {
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
    return a - b;
  }
  return a.localeCompare(b);
}

function sortTable(table, column, descending) {
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  rows.sort((p, q) => {
    const a = cellValue(p, column), b = cellValue(q, column);
    const empty = Number.isNaN(a) || Number.isNaN(b);
    return descending && !empty ? compareCells(b, a) : compareCells(a, b);
  });
  body.append(...rows);
  Array.from(table.tHead.rows[0].cells).forEach((head, i) => {
    if (i === column) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  });
}

document.querySelectorAll("table.sortable").forEach((table) => {
  Array.from(table.tHead.rows[0].cells).forEach((head, column) => {
    const button = head.querySelector("button");
    if (!button) return;
    button.addEventListener("click", () => {
      const now = head.getAttribute("aria-sort");
      const first = head.dataset.first === "descending";
      sortTable(table, column, now ? now === "ascending" : first);
    });
  });
});

/* Rows without fault are folded until they are asked for. */
document.querySelectorAll("[data-unfolds]").forEach((button) => {
  const table = document.getElementById(button.dataset.unfolds), text = button.textContent;
  button.setAttribute("aria-expanded", "false");
  button.addEventListener("click", () => {
    const folded = table.classList.toggle("folded");
    button.setAttribute("aria-expanded", String(!folded));
    button.textContent = folded ? text : text.replace("Show", "Hide");
  });
});

document.querySelectorAll("input[data-filters]").forEach((field) => {
  const table = document.getElementById(field.dataset.filters);
  const count = document.getElementById(field.dataset.filters + "-count");
  const rows = Array.from(table.tBodies[0].rows);
  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLocaleLowerCase();
    let shown = 0;
    table.classList.toggle("filtered", wanted !== "");
    rows.forEach((row) => {
      row.hidden = !row.textContent.toLocaleLowerCase().includes(wanted);
      if (!row.hidden) shown += 1;
    });
    count.textContent = wanted ? shown + " of " + rows.length : "";
  });
});

/* Where a table is wider than the page, say so, and let the keyboard scroll it. */
const namedRegions = new Set();

function nameOf(box) {
  const fold = box.closest("details"), section = box.closest("section");
  const heading = (fold && fold.querySelector("summary")) || (section && section.querySelector("h2"));
  const text = (heading ? heading.textContent : "Table") + ", scrolls sideways";
  let name = text;
  for (let i = 2; namedRegions.has(name); i += 1) name = text + " (" + i + ")";
  namedRegions.add(name);
  return name;
}

function hintScroll(box) {
  const wide = box.scrollWidth > box.clientWidth + 1;
  box.classList.toggle("overflows", wide);
  if (!wide || box.tabIndex === 0) return;
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  if (!box.hasAttribute("aria-label")) box.setAttribute("aria-label", nameOf(box));
}

const scrolling = new ResizeObserver((entries) => entries.forEach((entry) => hintScroll(entry.target)));
document.querySelectorAll(".scroll").forEach((box) => scrolling.observe(box));

/* The navigation marks the part that is read, and follows it where it is wider than the window. */
const links = Array.from(document.querySelectorAll("#parts a"));

function markPart() {
  let current = links[0];
  links.forEach((link) => {
    const part = document.getElementById(link.hash.slice(1));
    if (part && part.getBoundingClientRect().top < innerHeight / 3) current = link;
  });
  if (scrollY > 0 && innerHeight + scrollY > document.documentElement.scrollHeight - 4) current = links[links.length - 1];
  links.forEach((link) => {
    if (link !== current) link.removeAttribute("aria-current");
    else if (!link.hasAttribute("aria-current")) {
      link.setAttribute("aria-current", "true");
      const row = link.parentElement;
      if (row.scrollWidth > row.clientWidth) row.scrollLeft = link.offsetLeft - row.clientWidth / 3;
    }
  });
}

let marking = 0;
if (links.length) {
  markPart();
  addEventListener("scroll", () => {
    if (!marking) marking = requestAnimationFrame(() => { marking = 0; markPart(); });
  }, { passive: true });
}

/* A link into what is folded opens it; paper shows all. */
function openFolds() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let at = target; at; at = at.parentElement) if (at.matches("details")) at.open = true;
  const own = target && target.querySelector(":scope > details");
  if (own) own.open = true;
}

let opened = [];
addEventListener("hashchange", openFolds);
addEventListener("beforeprint", () => {
  opened = Array.from(document.querySelectorAll("details:not([open])"));
  opened.forEach((fold) => { fold.open = true; });
});
addEventListener("afterprint", () => opened.forEach((fold) => { fold.open = false; }));
openFolds();
