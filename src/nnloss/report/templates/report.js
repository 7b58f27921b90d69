"use strict";

// Numbers come before texts; what is missing comes last in both directions.
function compare(first, second, direction) {
  if (first === "" || second === "") return (first === "") - (second === "");
  const numbers = [Number(first), Number(second)];
  const numeric = numbers.map((each) => !Number.isNaN(each));
  if (numeric[0] !== numeric[1]) return direction * (numeric[1] - numeric[0]);
  if (numeric[0]) return direction * (numbers[0] - numbers[1]);
  return direction * first.localeCompare(second, "en");
}

function key(row, column) {
  const cell = row.cells[column];
  return (cell.dataset.value ?? cell.textContent).trim();
}

// A header sorts upwards, then downwards, then back to the order of the page.
const NEXT = { none: "ascending", ascending: "descending", descending: "none" };

function sortable(table) {
  const body = table.tBodies[0];
  const original = Array.from(body.rows);
  const headers = Array.from(table.tHead.rows[0].cells);
  headers.forEach((header, column) => {
    if ("unsorted" in header.dataset) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    header.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const order = NEXT[header.getAttribute("aria-sort")];
      for (const other of headers) {
        if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
      }
      header.setAttribute("aria-sort", order);
      const rows = [...original];
      if (order !== "none") {
        const direction = order === "ascending" ? 1 : -1;
        rows.sort((a, b) => compare(key(a, column), key(b, column), direction));
      }
      body.append(...rows);
    });
  });
}

document.querySelectorAll("table.sortable").forEach(sortable);

// On paper nothing can be unfolded.
let folded = [];
window.addEventListener("beforeprint", () => {
  folded = Array.from(document.querySelectorAll("details:not([open])"));
  for (const each of folded) each.open = true;
});
window.addEventListener("afterprint", () => {
  for (const each of folded) each.open = false;
});
