/* Send photos that are dropped or chosen, and show the answers. */
const drop = document.getElementById("drop"), files = document.getElementById("files");
const answers = document.getElementById("answers"), counts = document.getElementById("counts");
let sent = 0, done = 0;

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
  image.addEventListener("error", () => image.remove());
  const form = new FormData();
  form.append("photos", photo);
  let found;
  try {
    const reply = await fetch("api/predict?thumbnails=1", { method: "POST", body: form, headers: data.token ? { Authorization: "Bearer " + data.token } : {} });
    found = await reply.json();
  } catch (error) {
    found = { error: "no answer: " + error.message };
  }
  const one = (found.answers || [])[0] || { problem: found.error };
  text.replaceChildren();
  if (one.problem) {
    line("h2", "Not answered", text);
    line("p", one.problem, text);
    line("p", photo.name, text).className = "file";
    return;
  }
  const percent = (share) => Math.round(100 * share) + "%";
  line("small", one.none_of_these ? "unlike all that was trained on" : percent(one.sure) + " sure", line("h2", one.none_of_these ? "None of these" : one.species, text));
  if (one.look) line("p", "Look at it yourself.", text).className = "look";
  line("p", photo.name, text).className = "file";
  const list = line("div", "", text);
  list.className = "guesses";
  one.top.forEach((guess) => {
    line("span", guess["class"], list);
    line("i", "", list).style.setProperty("--share", percent(guess.probability));
    line("span", percent(guess.probability), list);
  });
  if (!one.nearest.length) return;
  line("p", "Most like it in training:", text).className = "note";
  const near = line("ul", "", text);
  near.className = "near";
  one.nearest.forEach((like) => {
    const item = line("li", "", near);
    if (like.thumbnail) {
      const small = document.createElement("img");
      small.src = like.thumbnail;
      small.alt = "";
      item.append(small);
    }
    item.append(like.label + ", " + like.similarity.toFixed(2));
    item.title = like.path;
  });
}

/* One after the other: the answers come in the order of the photos, the newest on top. */
let queue = Promise.resolve();
function all(photos) {
  sent += photos.length;
  photos.forEach((photo) => {
    queue = queue.then(() => send(photo)).then(() => {
      done += 1;
      counts.textContent = done + " of " + sent + (sent === 1 ? " photo" : " photos") + " answered";
    });
  });
}

files.addEventListener("change", () => {
  all([...files.files]);
  files.value = "";
});
["dragover", "dragleave", "drop"].forEach((kind) => document.addEventListener(kind, (event) => {
  event.preventDefault();
  drop.classList.toggle("over", kind === "dragover");
  if (kind === "drop") all([...event.dataTransfer.files]);
}));
