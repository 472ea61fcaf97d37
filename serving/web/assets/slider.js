// Moves the edge between two photos that lie over each other: left of it the query is seen, right of it the archive's photo.
"use strict";

document.addEventListener("input", (event) => {
  if (event.target.matches("input[data-split]")) {
    event.target.previousElementSibling.style.setProperty("--split", `${event.target.value}%`);
  }
});
