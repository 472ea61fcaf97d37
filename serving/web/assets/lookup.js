// Makes the form quicker: photos are dropped, pasted or picked, sent at once, and the result takes the page over.
// Without this file the form works as any form does. A result has the form too, unseen, for what is dropped there.
"use strict";

const form = document.getElementById("lookup");
const input = document.getElementById("photos");
const drop = document.getElementById("drop") ?? document.querySelector("main");
const working = document.getElementById("working");
const bar = document.getElementById("bar");
const cancel = document.getElementById("cancel");
const progress = document.getElementById("progress");
const problem = document.getElementById("problem");
const amount = document.getElementById("amount");
const claimed = form.querySelector("[name=claimed_date]");
const button = form.querySelector("button");
const isBesideResult = form.hidden;
// A service that is busy is asked again so often before the user is told.
const TRIES = 3;
const SHOWN_PHOTOS = 12;
// Screen readers say so often that the lookup goes on; the seconds beside the bar are for the eye.
const SAY_SECONDS = 10;
let sending = null;
let waiting = 0;
let isOwnDrag = false;

document.documentElement.classList.add("has-script");

input.addEventListener("change", () => input.files.length && send());
// The keyboard would send the form from here, as from any field.
input.addEventListener("keydown", (event) => {
  if (event.key === "Enter") {
    event.preventDefault();
    input.click();
  }
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
// The same photo chosen again would be no change.
input.addEventListener("click", () => (input.value = ""));
cancel.addEventListener("click", () => {
  stop("Cancelled.");
  input.value = "";
  (isBesideResult ? document.getElementById("found") : input).focus();
});

// A picture of the page, or a word of it, that is moved about is nothing to look up.
addEventListener("dragstart", () => (isOwnDrag = true));
addEventListener("dragend", () => (isOwnDrag = false));
// A photo that misses the field would otherwise replace the page.
addEventListener("dragover", (event) => {
  if (isOwnDrag) return;
  event.preventDefault();
  drop.classList.add("over");
});
addEventListener("dragleave", (event) => event.relatedTarget || drop.classList.remove("over"));
addEventListener("drop", (event) => {
  if (isOwnDrag) return;
  event.preventDefault();
  drop.classList.remove("over");
  take(event.dataTransfer.files, "What was dropped is no file: save the photo first, then drop it here.");
});
addEventListener("paste", (event) => {
  // A date may be pasted into its field.
  if (event.clipboardData.files.length || !event.target.closest?.("input, select")) {
    take(event.clipboardData.files, "The clipboard holds no photo: copy the picture itself, not its address.");
  }
});
// A page that comes back from the browser's memory has ended its lookup.
addEventListener("pageshow", () => sending || reset());

function take(files, without) {
  if (!files.length) return tell(without);
  input.files = files;
  send();
}

function send(tries = TRIES) {
  const files = [...input.files];
  const most = { bytes: Number(form.dataset.mostBytes), photos: Number(form.dataset.mostPhotos) };
  if (sending) sending.abort();
  clearTimeout(waiting);
  // On a result the date is set among what is chosen of it.
  if (isBesideResult) claimed.value = document.querySelector("#choice [name=claimed_date]").value;
  if (!files.length) return tell("Choose a photo first.");
  if (files.length > most.photos) return tell(`${files.length} photos were chosen; choose at most ${most.photos} at a time.`);
  if (files.reduce((sum, file) => sum + file.size, 0) > most.bytes) {
    return tell(`The photos have more than ${Math.floor(most.bytes / 2 ** 20)} MB together; choose fewer of them.`);
  }
  begin(files);
  post(files, tries);
}

function begin(files) {
  problem.replaceChildren();
  document.getElementById("chosen").replaceChildren(...files.slice(0, SHOWN_PHOTOS).map(chosen), ...further(files));
  working.hidden = false;
  // On a phone nothing else would be seen of it.
  form.hidden = true;
  cancel.focus();
  say(`Sending ${photos(files)} …`);
}

function post(files, tries) {
  // XMLHttpRequest says how far an upload is, fetch does not.
  const request = (sending = new XMLHttpRequest());
  request.open("POST", form.action);
  request.responseType = "json";
  request.timeout = 180_000;
  request.setRequestHeader("Accept", "application/json");
  request.upload.addEventListener("progress", (event) => {
    bar.value = (100 * event.loaded) / event.total;
    amount.textContent = `${megabytes(event.loaded)} of ${megabytes(event.total)} MB sent`;
  });
  request.upload.addEventListener("load", () => {
    bar.removeAttribute("value");
    bar.setAttribute("aria-label", "Lookup");
    say(`Looking up ${photos(files)} …`);
    wait(files, performance.now(), 0);
  });
  request.addEventListener("load", () => answer(request, files, tries));
  request.addEventListener("error", () => fail("The service cannot be reached. Look whether you are online, then try again."));
  request.addEventListener("timeout", () => fail("The service did not answer in time. Try again in a moment."));
  request.send(new FormData(form));
}

// How many are answered is not known before all of them are: what is known is that the service works on them.
function wait(files, start, told) {
  const seconds = Math.floor((performance.now() - start) / 1_000);
  amount.textContent = `${seconds} s`;
  const isTold = seconds >= told + SAY_SECONDS;
  if (isTold) say(`Still looking up ${photos(files)}, for ${seconds} s now.`);
  waiting = setTimeout(() => wait(files, start, isTold ? seconds : told), 1_000);
}

function answer(request, files, tries) {
  clearTimeout(waiting);
  if (request.status === 201 && request.response) {
    say("Done.");
    // Whoever comes back looks other photos up, of which the same may be claimed.
    if (!isBesideResult && claimed.value) history.replaceState(null, "", `?claimed_date=${claimed.value}`);
    location.assign(`${request.response.location}#found`);
    return;
  }
  const seconds = Number(request.getResponseHeader("Retry-After"));
  if (request.status === 503 && seconds && tries > 0) {
    amount.textContent = "";
    say(`The service is busy: trying again in ${seconds} s.`);
    waiting = setTimeout(() => post(files, tries - 1), 1_000 * Math.min(seconds, 30));
    return;
  }
  const detail = request.response?.detail ?? `the service answered with status ${request.status}`;
  fail(`${detail.charAt(0).toUpperCase()}${detail.slice(1)}.`);
}

function fail(text) {
  document.documentElement.classList.add("has-failed");
  tell(text);
  button.textContent = "Try again";
  button.focus();
}

function tell(text) {
  stop("");
  const line = document.createElement("p");
  line.className = "alarm";
  line.textContent = text;
  problem.replaceChildren(line);
  problem.scrollIntoView({ block: "nearest" });
}

function stop(text) {
  clearTimeout(waiting);
  if (sending) sending.abort();
  reset();
  say(text);
}

function reset() {
  sending = null;
  working.hidden = true;
  // Beside a result the form is there to try again.
  form.hidden = isBesideResult && !document.documentElement.classList.contains("has-failed");
  bar.removeAttribute("value");
  bar.setAttribute("aria-label", "Upload");
  amount.textContent = "";
}

function chosen(file) {
  const item = document.createElement("li");
  const picture = document.createElement("img");
  picture.alt = "";
  picture.src = URL.createObjectURL(file);
  picture.addEventListener("load", () => URL.revokeObjectURL(picture.src));
  picture.addEventListener("error", () => picture.remove());
  item.append(picture, file.name);
  item.className = "clamped";
  item.title = file.name;
  return item;
}

function further(files) {
  if (files.length <= SHOWN_PHOTOS) return [];
  const item = document.createElement("li");
  item.textContent = `and ${files.length - SHOWN_PHOTOS} more`;
  return [item];
}

function megabytes(bytes) {
  return (bytes / 2 ** 20).toFixed(1);
}

function photos(files) {
  return files.length === 1 ? "1 photo" : `${files.length} photos`;
}

function say(text) {
  progress.textContent = text;
}
