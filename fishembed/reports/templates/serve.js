/* Send photos that are dropped or chosen, and show the answers. */
const drop = document.getElementById("drop"), files = document.getElementById("files");
const answers = document.getElementById("answers");

function line(tag, text, home) {
  const made = document.createElement(tag);
  made.textContent = text;
  home.append(made);
  return made;
}

async function send(photo) {
  const box = document.createElement("div"), text = document.createElement("div");
  const image = document.createElement("img");
  box.className = "answer";
  image.src = URL.createObjectURL(photo);
  image.alt = photo.name;
  box.append(image, text);
  answers.prepend(box);
  line("p", "…", text);
  const form = new FormData();
  form.append("photos", photo);
  let found;
  try {
    const reply = await fetch("api/predict", { method: "POST", body: form, headers: data.token ? { Authorization: "Bearer " + data.token } : {} });
    found = await reply.json();
  } catch (error) {
    found = { error: "no answer: " + error.message };
  }
  const one = (found.answers || [])[0] || { problem: found.error };
  text.replaceChildren();
  if (one.problem) {
    line("h2", "Not answered", text);
    line("p", one.problem, text);
    return;
  }
  line("h2", one.none_of_these ? "None of these" : one.species, text);
  line("p", Math.round(100 * one.sure) + "% sure" + (one.look ? ": look at it yourself" : ""), text).className = "note";
  const list = line("ol", "", text);
  one.top.forEach((guess) => line("li", guess["class"] + ", " + Math.round(100 * guess.probability) + "%", list));
  if (one.nearest.length) line("p", "Most like it in training: " + one.nearest.map((near) => near.label + " (" + near.similarity.toFixed(2) + ")").join(", "), text).className = "note";
}

async function all(photos) {
  for (const photo of photos) await send(photo);
}

files.addEventListener("change", () => all([...files.files]));
["dragover", "dragleave", "drop"].forEach((kind) => drop.addEventListener(kind, (event) => {
  event.preventDefault();
  drop.classList.toggle("over", kind === "dragover");
  if (kind === "drop") all([...event.dataTransfer.files]);
}));
