// Makes a result handier: filters count as they are set, the link is copied, and the page printed, at a press.
"use strict";

const said = document.getElementById("said");
const link = document.getElementById("link");
const form = document.getElementById("choice");
let asking = 0;

whole();
for (const [id, does] of [["copy", copyLink], ["print", printPage]]) {
  const button = document.getElementById(id);
  button.hidden = false;
  button.addEventListener("click", does);
}
form.addEventListener("change", (event) => {
  // The keyboard sets a date part by part: it counts when it is whole, which is when the field has a value or none.
  if (event.target.type !== "search") show();
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  show();
});

// The comparison takes the server a moment: it is asked for when somebody opens it, or has the room to see it at once.
document.addEventListener("toggle", (event) => event.target.matches?.("details[data-from]") && lay(event.target), true);
function layAtOnce() {
  if (matchMedia("(min-width: 1100px)").matches) {
    document.querySelectorAll("details[data-at-once]").forEach((one) => (one.open = true));
  }
}
layAtOnce();

async function lay(details) {
  const from = details.dataset.from;
  if (!details.open || !from) return;
  delete details.dataset.from;
  const answer = await fetch(from, { headers: { Accept: "text/html" } }).catch(() => null);
  const page = answer?.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
  const laid = page && page.querySelector("#laid");
  if (!laid) return;
  laid.querySelector("h2").remove();
  details.querySelector("p").replaceWith(laid);
}

async function show() {
  const asked = new FormData(form);
  for (const [name, value] of [...asked]) if (!value) asked.delete(name);
  const address = `${form.getAttribute("action")}?${new URLSearchParams(asked)}`;
  // Of several changes in a row the last one counts, whichever is answered first.
  const mine = ++asking;
  said.textContent = "Choosing …";
  const answer = await fetch(address, { headers: { Accept: "text/html" } }).catch(() => null);
  const page = answer && new DOMParser().parseFromString(await answer.text(), "text/html");
  if (mine !== asking) return;
  if (!answer?.ok) {
    said.textContent = page?.querySelector(".alarm")?.textContent ?? "The service cannot be reached.";
    return;
  }
  // The form stays, and with it the focus: only what it chose is replaced.
  const articles = document.querySelectorAll("article");
  page.querySelectorAll("article").forEach((one, number) => articles[number].replaceWith(one));
  layAtOnce();
  const links = document.querySelectorAll(".actions a");
  page.querySelectorAll(".actions a").forEach((one, number) => (links[number].href = one.getAttribute("href")));
  link.value = page.getElementById("link").value;
  whole();
  history.replaceState(null, "", address);
  const notes = [...document.querySelectorAll("article .left-out")].map((one) => one.textContent);
  said.textContent = notes.length ? notes.join(" ") : "All matches are shown.";
}

// The page does not know by which name of the service others reach it: the reader's is the best guess.
function whole() {
  link.value = new URL(link.value, location.href).href;
}

async function copyLink() {
  link.select();
  try {
    await navigator.clipboard.writeText(link.value);
    said.textContent = "The link is copied.";
  } catch {
    // Browsers lend the clipboard to https and localhost alone.
    said.textContent = "The link is selected: copy it.";
  }
}

function printPage() {
  document.querySelectorAll("article details").forEach((one) => (one.open = true));
  print();
}
