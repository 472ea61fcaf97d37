// Makes a result handier: filters count as they are set, the link is copied, and the page printed, at a press.
"use strict";

const said = document.getElementById("said");
const link = document.getElementById("link");
const choice = document.getElementById("choice");
const showAll = document.getElementById("show-all");
// Pictures wait to be seen, and comparisons for the server: a print takes no longer than this to gather them.
const PRINT_SECONDS = 10;
let asking = 0;
let opened = [];
const laying = new Set();

whole();
for (const [id, does] of [["copy", copyLink], ["print", printPage]]) {
  const button = document.getElementById(id);
  button.hidden = false;
  button.addEventListener("click", does);
}
choice.addEventListener("change", (event) => {
  // The keyboard sets a date part by part: it counts when it is whole, which is when the field has a value or none.
  if (event.target.type !== "search") show();
});
choice.addEventListener("submit", (event) => {
  event.preventDefault();
  show();
});

document.addEventListener("click", (event) => {
  if (!event.target.matches(".show-all")) return;
  event.preventDefault();
  for (const name of ["since", "until", "source", "words"]) if (choice.elements[name]) choice.elements[name].value = "";
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

function lay(details) {
  const from = details.dataset.from;
  if (!details.open || !from) return;
  delete details.dataset.from;
  const work = fetchLaid(details, from).finally(() => laying.delete(work));
  laying.add(work);
}

async function fetchLaid(details, from) {
  const answer = await fetch(from, { headers: { Accept: "text/html" } }).catch(() => null);
  const page = answer?.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
  const laid = page && page.querySelector(".laid");
  if (!laid) return;
  laid.querySelector("h2").remove();
  // Several may be open.
  laid.removeAttribute("id");
  details.querySelector("p").replaceWith(laid);
}

async function show() {
  const asked = new FormData(choice);
  for (const [name, value] of [...asked]) if (!value) asked.delete(name);
  const address = `${choice.getAttribute("action")}?${new URLSearchParams(asked)}`;
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
  const hadFocus = document.activeElement !== document.body;
  // The form stays, and with it the focus: only what it chose is replaced.
  replaceEach(".renewed", page, (old, one) => old.replaceWith(one));
  layAtOnce();
  replaceEach(".actions a, .site a", page, (old, one) => (old.href = one.getAttribute("href")));
  showAll.hidden = page.getElementById("show-all").hidden;
  // A link that showed all is gone, and the keyboard would begin anew at the top.
  if (hadFocus && document.activeElement === document.body) document.getElementById("found").focus({ preventScroll: true });
  link.value = page.getElementById("link").value;
  whole();
  history.replaceState(null, "", address);
  const note = document.querySelector(".left-out");
  said.textContent = note ? note.textContent.replace("Show all matches", "") : "All matches are shown.";
}

// Both pages have the same photos, and so the same parts in the same order.
function replaceEach(selector, page, replace) {
  const old = document.querySelectorAll(selector);
  page.querySelectorAll(selector).forEach((one, number) => replace(old[number], one));
}

// The page does not know by which name of the service others reach it: the reader's is the best guess.
function whole() {
  link.value = new URL(link.value, location.href).href;
  document.getElementById("paper-link").textContent = link.value;
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

// Paper has what is open; where a photo was published belongs to the finding, and is there in any case.
addEventListener("beforeprint", () => {
  pictures();
  opened = [...document.querySelectorAll("details.places:not([open])")];
  opened.forEach((one) => (one.open = true));
});
addEventListener("afterprint", () => opened.forEach((one) => (one.open = false)));

// Without this those that are printed would wait to be scrolled to.
function pictures() {
  const found = [...document.querySelectorAll("img")].filter((one) => !one.closest("details:not([open])"));
  found.forEach((one) => (one.loading = "eager"));
  return found;
}

async function printPage() {
  said.textContent = "Gathering the pictures …";
  // The event of what was opened this moment may still be on its way.
  document.querySelectorAll("details[data-from][open]").forEach(lay);
  const gathered = Promise.all(laying).then(() => Promise.allSettled(pictures().map((one) => one.decode())));
  await Promise.race([gathered, new Promise((done) => setTimeout(done, 1_000 * PRINT_SECONDS))]);
  said.textContent = "";
  print();
}
