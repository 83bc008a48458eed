const table = document.querySelector("table");
const body = table.tBodies[0];
const key = (row, column) => row.cells[column].dataset.key;
table.tHead.addEventListener("click", (event) => {
  const head = event.target.closest("th");
  if (!head) return;
  const column = head.cellIndex;
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const compare = (a, b) => key(a, column).localeCompare(key(b, column), undefined, { numeric: true });
  const rows = [...body.rows].sort((a, b) => (down ? compare(b, a) : compare(a, b)));
  body.append(...rows);
});
