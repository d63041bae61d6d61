// The verifier page: one file in, one verdict out. Text is only ever set as text.
import { WORDS } from "./words.js";

const MAX_BYTES = 8 * 1024 * 1024;
const SIGNS = { valid: "✓", invalid: "✕", unknown: "?", unread: "!", passed: "✓", failed: "✕", skipped: "–" };

const at = (id) => document.getElementById(id);
let language = navigator.language.toLowerCase().startsWith("fr") ? "fr" : "en";
let shown = null; // What to draw again when the language changes.

function say(chosen) {
  language = chosen;
  const words = WORDS[language];
  document.documentElement.lang = language;
  document.title = words.title;
  for (const element of document.querySelectorAll("[data-say]")) {
    element.textContent = words[element.dataset.say];
  }
  for (const code of ["en", "fr"]) at(`to-${code}`).setAttribute("aria-pressed", code === language);
  if (shown) shown();
}

function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function time(text) {
  const parsed = new Date(text);
  if (Number.isNaN(parsed.getTime())) return text;
  return parsed.toLocaleString(language, { dateStyle: "long", timeStyle: "short", timeZone: "UTC" }) + " UTC";
}

function draw(kind, heading, meaning, about) {
  at("card").className = `card verdict ${kind}`;
  at("sign").textContent = SIGNS[kind];
  at("verdict").textContent = heading;
  at("meaning").textContent = meaning;
  at("about").textContent = about || "";
  at("facts").replaceChildren();
  at("checks").replaceChildren();
  at("checks-title").hidden = true;
  at("result").hidden = false;
}

function drawReport(report) {
  const words = WORDS[language];
  const { verdict, credential, anchor, as_of: asOf } = report;
  draw(verdict, words.verdicts[verdict], meaningOf(report), credential && credential.name);
  const facts = [
    [words.facts.issuer, credential && credential.issuer],
    [words.facts.validFrom, credential && credential.validFrom && time(credential.validFrom)],
    [words.facts.validUntil, credential && credential.validUntil && time(credential.validUntil)],
    [words.facts.anchored, anchor && anchor.time && time(anchor.time)],
    [words.facts.home, anchor && anchor.home],
    [words.facts.asOf, asOf && `${time(asOf.time)} (${asOf.chain}, ${words.facts.block} ${asOf.block})`],
  ];
  for (const [name, fact] of facts) {
    if (fact) at("facts").append(element("dt", name), element("dd", fact));
  }
  at("checks-title").hidden = false;
  at("checks").replaceChildren(...report.checks.map(drawCheck));
}

/** Say what the verdict comes from: the first check that decides it. */
function meaningOf(report) {
  const words = WORDS[language];
  const wanted = { invalid: "failed", unknown: "unknown" }[report.verdict];
  const decisive = report.checks.find((check) => check.outcome === wanted);
  const reason = decisive ? ` ${words.because} ${sentenceOf(decisive) || decisive.message}` : "";
  return words.meanings[report.verdict] + reason;
}

function sentenceOf(check) {
  const words = WORDS[language];
  return check.reason ? words.reasons[check.reason] : words.passed[check.code];
}

function drawCheck(check) {
  const words = WORDS[language];
  const item = element("li", "", check.outcome);
  const sign = element("span", SIGNS[check.outcome], "dot");
  sign.setAttribute("aria-hidden", "true");
  const explained = explain(check);
  item.append(
    sign,
    element("strong", words.checksAsked[check.code] || check.code),
    element("span", words.outcomes[check.outcome], "outcome"),
    explained,
  );
  return item;
}

/** In French where there is a sentence for it; else as the server said it, marked as English. */
function explain(check) {
  const ours = sentenceOf(check);
  const sentence = element("p", ours || check.message);
  if (!ours) sentence.lang = "en";
  return sentence;
}

function drawProblem(code) {
  const words = WORDS[language];
  const [heading, meaning] = words.problems[code] || words.problems.other;
  draw("unread", heading, meaning);
}

function show(drawing) {
  shown = drawing;
  at("busy").hidden = true;
  drawing();
  at("verdict").focus();
}

async function verify(file) {
  at("result").hidden = true;
  at("busy").textContent = `${WORDS[language].busy} ${file.name}`;
  at("busy").hidden = false;
  if (file.size > MAX_BYTES) return show(() => drawProblem("too-large"));
  let answer;
  try {
    const headers = { "Content-Type": "application/json" };
    answer = await fetch("/v1/verify", { method: "POST", body: file, headers });
  } catch {
    return show(() => drawProblem("silent"));
  }
  if (answer.ok) {
    const report = await answer.json();
    return show(() => drawReport(report));
  }
  const busy = answer.status === 429 || answer.status === 503 || answer.status === 408;
  const kind = busy ? "busy" : answer.status === 422 ? "unreadable" : answer.status === 413 ? "too-large" : "other";
  return show(() => drawProblem(kind));
}

at("file").addEventListener("change", (event) => {
  const [file] = event.target.files;
  if (file) verify(file);
  event.target.value = "";
});
for (const name of ["dragover", "dragleave", "drop"]) {
  // On the whole window: a file dropped beside the field must not replace the page.
  window.addEventListener(name, (event) => {
    event.preventDefault();
    at("drop").classList.toggle("over", name === "dragover");
    if (name === "drop" && event.dataTransfer.files[0]) verify(event.dataTransfer.files[0]);
  });
}
at("to-en").addEventListener("click", () => say("en"));
at("to-fr").addEventListener("click", () => say("fr"));
say(language);
