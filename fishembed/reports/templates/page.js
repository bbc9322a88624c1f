"use strict";
/* What every page has: its data, a tip that follows the pointer, tables that sort and filter. */
const data = JSON.parse(document.getElementById("data").textContent);
const tip = document.getElementById("tip");

function showTip(text, x, y) {
  tip.textContent = text;
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

document.querySelectorAll("input[data-filters]").forEach((field) => {
  const table = document.getElementById(field.dataset.filters);
  const count = document.getElementById(field.dataset.filters + "-count");
  const rows = Array.from(table.tBodies[0].rows);
  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLocaleLowerCase();
    let shown = 0;
    rows.forEach((row) => {
      row.hidden = !row.textContent.toLocaleLowerCase().includes(wanted);
      if (!row.hidden) shown += 1;
    });
    count.textContent = wanted ? shown + " of " + rows.length : "";
  });
});
