/* Answer images in the page: keys, other classes, undo, filters, kept over a reload, saved as CSV. */
const sheet = data.answering;
if (sheet && sheet.images.length) startAnswering();

function startAnswering() {
  const CHUNK = 60;
  const images = sheet.images, store = "fishembed:" + sheet.key;
  const decisions = new Map(); /* number of an image -> {action, label, when} */
  const names = new Map(); /* number of a section -> {label, when} */
  const undone = []; /* what each step replaced, last one at the end */
  const classes = sheet.classes.slice();
  const badges = new Map();
  let at = 0, filter = "all", picked = 0, options = [], timer = 0;

  function element(tag, attributes, ...children) {
    const made = document.createElement(tag);
    Object.entries(attributes || {}).forEach(([name, value]) => {
      if (name === "onclick") made.addEventListener("click", value);
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false && value !== undefined) made.setAttribute(name, value);
    });
    made.append(...children);
    return made;
  }

  function button(text, key, onclick, extra) {
    const made = element("button", { type: "button", class: "answer-button " + (extra || ""), onclick }, element("span", {}, text));
    if (key) made.append(element("kbd", {}, key));
    return made;
  }

  /* What was decided before a reload, unless a later page shows it done. */
  function restore() {
    try {
      const saved = JSON.parse(localStorage.getItem(store) || "{}");
      (saved.decisions || []).forEach(([i, decision]) => isOpen(i, decision) && decisions.set(i, decision));
      (saved.names || []).forEach(([i, name]) => ((sheet.sections[i] || {}).members || []).length && names.set(i, name));
      who.value = localStorage.getItem("fishembed:who") || "";
    } catch (error) { /* a browser may keep nothing for files */ }
    decisions.forEach((decision) => learn(decision.label));
    names.forEach((name) => learn(name.label));
  }

  function isOpen(i, decision) {
    return i < images.length && (decision.on === undefined || decision.on === (images[i].label || ""));
  }

  function save() {
    clearTimeout(timer);
    timer = 0;
    try {
      localStorage.setItem(store, JSON.stringify({ decisions: [...decisions], names: [...names] }));
      localStorage.setItem("fishembed:who", who.value);
    } catch (error) { /* full, or not allowed: the download still works */ }
  }

  function saveSoon() {
    if (!timer) timer = setTimeout(save, 250);
  }

  function learn(name) {
    if (name && !classes.includes(name)) classes.push(name);
  }

  /* Decisions. */
  function decide(i, decision, more) {
    const before = [["image", i, decisions.get(i)], ...(more || [])];
    if (decision) decisions.set(i, { ...decision, on: images[i].label || "" });
    else decisions.delete(i);
    undone.push({ at: i, before });
    if (decision) learn(decision.label);
    changed([i]);
  }

  function changed(which) {
    which.forEach(paintBadge);
    paintBar();
    saveSoon();
  }

  function undo() {
    const step = undone.pop();
    if (!step) return;
    step.before.forEach(([kind, i, value]) => {
      const known = kind === "image" ? decisions : names;
      if (value) known.set(i, value);
      else known.delete(i);
    });
    changed(step.before.filter(([kind]) => kind === "image").map(([, i]) => i));
    paintNames();
    if (dialog.open && step.at !== null) show(step.at);
  }

  function now() {
    return new Date().toISOString().slice(0, 19) + "Z";
  }

  function asked(i) {
    return images[i].label || (images[i].guesses || [])[0] || "";
  }

  function answer(action, label) {
    const image = images[at];
    if (action === "right") {
      const name = asked(at);
      if (!name) return openOther();
      action = image.label ? "keep" : "relabel";
      label = image.label ? "" : name;
    }
    if (action === "relabel" && label === image.label) [action, label] = ["keep", ""];
    decide(at, { action, label: label || "", when: now() });
    next();
  }

  function words(i) {
    const decision = decisions.get(i);
    if (decision) return { keep: "right", drop: "drop", unsure: "unsure" }[decision.action] || decision.label;
    const named = sectionOf(i) !== null && names.get(sectionOf(i));
    return named && !images[i].label ? named.label : "";
  }

  function sectionOf(i) {
    let low = 0, high = sheet.sections.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (i < sheet.sections[middle].stop) high = middle;
      else low = middle + 1;
    }
    return sheet.sections.length ? low : null;
  }

  /* Cards: made chunk by chunk when they come near the window, so that 10,000 do not stutter. */
  function makeCard(i) {
    const image = images[i];
    const card = element("button", { type: "button", class: "card", "data-number": i, onclick: () => open(i) });
    if (image.src) {
      const [width, height] = image.size || [];
      card.append(element("img", { src: image.src, width, height, loading: "lazy", decoding: "async", alt: image.shown || image.path }));
    } else card.append(element("span", { class: "blank" }, element("bdi", {}, image.shown || image.path)));
    const text = element("span", { class: "text" });
    if (image.label) text.append(element("b", {}, element("bdi", {}, image.label)));
    else if (asked(i)) text.append(element("b", { class: "guess" }, element("bdi", {}, asked(i)), "?"));
    (image.lines || []).forEach((line) => text.append(element("span", {}, element("bdi", {}, line))));
    card.append(text);
    card.title = image.shown || image.path;
    badges.set(i, card);
    paintBadge(i);
    return card;
  }

  /* One image may stand in several places of a page. */
  function homesOf(i) {
    const shown = document.querySelectorAll('[data-answer="' + i + '"]');
    const homes = Array.from(shown, (image) => image.closest("figure") || image.parentElement);
    return badges.has(i) ? [badges.get(i), ...homes] : homes;
  }

  function paintBadge(i) {
    const said = words(i), decision = decisions.get(i) || { action: "relabel" };
    homesOf(i).forEach((home) => {
      const old = home.querySelector(".answered");
      if (old) old.remove();
      if (said) home.append(element("span", { class: "answered", "data-action": decision.action }, element("bdi", {}, said)));
    });
  }

  function shown(i) {
    const decision = decisions.get(i);
    if (filter === "all") return true;
    if (filter === "open") return !words(i);
    return decision ? decision.action === filter : filter === "relabel" && Boolean(words(i));
  }

  const watcher = new IntersectionObserver((entries) => {
    entries.filter((entry) => entry.isIntersecting).forEach((entry) => {
      watcher.unobserve(entry.target);
      const numbers = entry.target.numbers;
      entry.target.style.minHeight = "";
      entry.target.append(...numbers.map(makeCard));
    });
  }, { rootMargin: "1200px 0px" });

  function layCards() {
    badges.forEach((home, i) => home.classList.contains("card") && badges.delete(i));
    document.querySelectorAll(".cards[data-section]").forEach((home) => {
      const section = sheet.sections[Number(home.dataset.section)];
      const numbers = [];
      for (let i = section.start; i < section.stop; i += 1) if (shown(i)) numbers.push(i);
      home.replaceChildren();
      const columns = Math.max(2, Math.floor((home.clientWidth || 1000) / 168));
      for (let start = 0; start < numbers.length; start += CHUNK) {
        const chunk = element("div", { class: "chunk" });
        chunk.numbers = numbers.slice(start, start + CHUNK);
        chunk.style.minHeight = Math.ceil(chunk.numbers.length / columns) * 190 + "px";
        home.append(chunk);
        watcher.observe(chunk);
      }
      home.parentElement.hidden = !numbers.length && filter !== "all";
    });
  }

  /* Images that the page itself shows, or comes to show. */
  function adopt(root) {
    root.querySelectorAll("[data-answer]").forEach((image) => {
      const i = Number(image.dataset.answer);
      image.tabIndex = 0;
      image.setAttribute("role", "button");
      image.addEventListener("click", () => open(i, image));
      image.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        open(i, image);
      });
      paintBadge(i);
    });
  }

  /* The small copy of an image, from the page itself where its data has none. */
  function smallOf(i) {
    if (images[i].src) return images[i].src;
    return typeof smallPhoto === "function" ? smallPhoto(i) : (document.querySelector('img[data-answer="' + i + '"]') || {}).src || "";
  }

  /* A name for a whole section. */
  function makeNaming() {
    const list = element("datalist", { id: "answer-classes" }, ...classes.map((name) => element("option", { value: name })));
    document.body.append(list);
    document.querySelectorAll(".cards[data-section]").forEach((home) => {
      const number = Number(home.dataset.section), section = sheet.sections[number];
      const n = section.members.length;
      if (!n) return;
      const field = element("input", { list: "answer-classes", placeholder: "Name these " + n.toLocaleString("en") + " photos", "aria-label": "Name of the section" });
      const said = element("span", { class: "said", "data-named": number });
      const row = element("div", { class: "naming" }, field, button("Name all", "", () => nameSection(number, field.value.trim())));
      section.proposed.forEach((name) => row.append(button(name, "", () => nameSection(number, name))));
      row.append(said);
      field.addEventListener("keydown", (event) => {
        if (event.key === "Enter") nameSection(number, field.value.trim());
        event.stopPropagation();
      });
      home.before(row);
    });
    paintNames();
  }

  function nameSection(number, label) {
    if (!label) return;
    undone.push({ at: null, before: [["section", number, names.get(number)]] });
    names.set(number, { label, when: now() });
    learn(label);
    paintNames();
    changed([]);
  }

  function paintNames() {
    document.querySelectorAll("[data-named]").forEach((said) => {
      const number = Number(said.dataset.named), name = names.get(number);
      said.textContent = name ? "named " + name.label : "";
      const section = sheet.sections[number];
      for (let i = section.start; i < section.stop; i += 1) paintBadge(i);
    });
  }

  /* The large view. */
  const photo = element("img", { alt: "" });
  const title = element("h2", {}), file = element("p", { class: "file" }), lines = element("p", { class: "lines" });
  const place = element("span", {}), choices = element("div", { class: "choices" });
  const other = element("input", { type: "text", placeholder: "Other class, or a new one", role: "combobox", "aria-expanded": "false", "aria-controls": "answer-options", "aria-label": "Other class", autocomplete: "off", spellcheck: "false" });
  const listed = element("ul", { id: "answer-options", role: "listbox", "aria-label": "Classes" });
  const dialog = element("dialog", { id: "answering", "aria-label": "Answer photos", tabindex: "-1" },
    element("div", { class: "photo" }),
    element("div", { class: "side" },
      element("div", { class: "top" }, place, button("Close", "Esc", () => dialog.close())),
      title, lines, choices,
      element("div", { class: "other" }, other, listed),
      file,
      element("div", { class: "feet" },
        button("Back", "←", () => step(-1)), button("On", "→", () => step(1)), button("Undo", "Z", undo))));
  document.body.append(dialog);
  dialog.addEventListener("close", () => {
    closeOther();
    if (filter !== "all") layCards();
    const shown = Array.from(document.querySelectorAll('[data-answer="' + at + '"]')).find((image) => image.offsetParent);
    const home = at === cameAt && cameFrom ? cameFrom : badges.get(at) || shown || cameFrom;
    if (home) home.focus();
  });
  photo.addEventListener("error", () => {
    const small = smallOf(at);
    if (small && photo.getAttribute("src") !== small) photo.src = small;
  });

  let cameFrom = null, cameAt = -1;

  function open(i, from) {
    cameFrom = from || null;
    cameAt = i;
    if (!dialog.open) dialog.showModal();
    dialog.focus(); /* no button has it, so that keys mean what they say */
    show(i);
  }

  function show(i) {
    at = i;
    const image = images[i], decision = decisions.get(i), question = asked(i);
    closeOther();
    if (!photo.isConnected) dialog.firstChild.append(photo); /* without a source it would be a broken image */
    photo.src = image.file || smallOf(i);
    photo.alt = image.shown || image.path;
    title.replaceChildren(...(question ? ["Is this ", element("bdi", {}, question), "?"] : ["What is this?"]));
    lines.textContent = (image.lines || []).join(" · ");
    file.textContent = image.shown || image.path;
    place.textContent = (i + 1).toLocaleString("en") + " of " + images.length.toLocaleString("en");
    choices.replaceChildren();
    const add = (text, key, act, on, main) => {
      const made = button(text, key, act, main ? "main" : "");
      made.setAttribute("aria-pressed", String(Boolean(on)));
      choices.append(made);
    };
    const same = (action, label) => decision && decision.action === action && (label === undefined || decision.label === label);
    if (question) add("Right: " + question, "R", () => answer("right"), image.label ? same("keep") : same("relabel", question), true);
    guesses(i).forEach((name, k) => add(name, String(k + 1), () => answer("relabel", name), same("relabel", name)));
    add("Other class …", "O", openOther, false);
    add("Drop this photo", "D", () => answer("drop"), same("drop"));
    add("Unsure", "U", () => answer("unsure"), same("unsure"));
    [i + 1, i + 2].forEach((k) => { if (images[k] && images[k].file) new Image().src = images[k].file; });
  }

  function guesses(i) {
    return (images[i].guesses || []).filter((name) => name !== asked(i)).slice(0, 4);
  }

  function step(by) {
    let i = at + by;
    while (i >= 0 && i < images.length && !shown(i)) i += by;
    if (i >= 0 && i < images.length) show(i);
    else if (by > 0 && decisions.has(at)) {
      const open = firstOpen();
      if (open >= 0) show(open);
      else dialog.close();
    }
  }

  function next() {
    let i = at + 1;
    while (i < images.length && (decisions.has(i) || !(filter === "all" || filter === "open" || shown(i)))) i += 1;
    if (i < images.length) show(i);
    else {
      const open = firstOpen();
      if (open >= 0) show(open);
      else dialog.close();
    }
  }

  function firstOpen() {
    for (let i = 0; i < images.length; i += 1) if (!decisions.has(i)) return i;
    return -1;
  }

  /* Type-ahead over the classes; what is none of them is a new one. */
  function openOther() {
    other.focus();
    listOptions();
  }

  function closeOther() {
    other.value = "";
    listed.replaceChildren();
    options = [];
    other.setAttribute("aria-expanded", "false");
    if (document.activeElement === other) other.blur();
  }

  function listOptions() {
    const typed = other.value.trim(), wanted = typed.toLocaleLowerCase();
    const rank = (name) => {
      const low = name.toLocaleLowerCase();
      if (low.startsWith(wanted)) return 0;
      return low.split(/[\s_-]+/).some((word) => word.startsWith(wanted)) ? 1 : low.includes(wanted) ? 2 : 3;
    };
    options = classes.map((name) => [rank(name), name]).filter(([r]) => r < 3)
      .sort((a, b) => a[0] - b[0] || a[1].localeCompare(b[1])).slice(0, 12).map(([, name]) => ({ name }));
    if (typed && !classes.some((name) => name.toLocaleLowerCase() === wanted)) options.push({ name: typed, isNew: true });
    picked = 0;
    paintOptions();
  }

  function paintOptions() {
    listed.replaceChildren(...options.map((option, k) => element("li", {
      role: "option", id: "answer-option-" + k, "aria-selected": String(k === picked),
      onclick: () => answer("relabel", option.name),
    }, element("bdi", {}, option.isNew ? "New class: " + option.name : option.name))));
    other.setAttribute("aria-expanded", String(options.length > 0));
    other.setAttribute("aria-activedescendant", options.length ? "answer-option-" + picked : "");
    const chosen = listed.children[picked];
    if (chosen) chosen.scrollIntoView({ block: "nearest" });
  }

  other.addEventListener("input", listOptions);
  other.addEventListener("focus", listOptions);
  other.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter" && options.length) {
      event.preventDefault();
      answer("relabel", options[picked].name);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      picked = (picked + (event.key === "ArrowDown" ? 1 : options.length - 1)) % Math.max(1, options.length);
      paintOptions();
    } else if (event.key === "Escape") {
      event.preventDefault();
      closeOther();
      dialog.focus();
    }
  });

  addEventListener("keydown", (event) => {
    if (event.target.matches && event.target.matches("input, select, textarea")) return;
    const undoes = event.key.toLowerCase() === "z" || event.key === "Backspace";
    if (undoes && !event.shiftKey) {
      event.preventDefault();
      return undo();
    }
    if (!dialog.open || event.ctrlKey || event.metaKey || event.altKey) return;
    const acts = {
      r: () => answer("right"), o: openOther, "/": openOther, d: () => answer("drop"), u: () => answer("unsure"),
      arrowright: () => step(1), arrowleft: () => step(-1),
    };
    const act = acts[event.key.toLowerCase()];
    const guess = guesses(at)[Number(event.key) - 1];
    if (act) act();
    else if (guess) answer("relabel", guess);
    else return;
    event.preventDefault();
  });

  /* Progress, filter, download. */
  const who = element("input", { class: "who", placeholder: "Your name", "aria-label": "Your name, for the table", autocomplete: "name" });
  const fill = element("i", {}), progress = element("span", { role: "status" });
  const menu = element("select", { "aria-label": "Show" },
    ...[["all", "All photos"], ["open", "Not answered"], ["keep", "Right"], ["relabel", "Other class"], ["drop", "Dropped"], ["unsure", "Unsure"]]
      .map(([value, text]) => element("option", { value }, text)));
  const undoButton = button("Undo", "Z", undo, "undo"), download = button("Download decisions", "", save_as, "main");
  const start = button("Answer", "", () => open(Math.max(0, firstOpen())));
  download.id = "download";
  who.addEventListener("input", saveSoon);
  menu.addEventListener("change", () => {
    filter = menu.value;
    layCards();
  });
  /* A page that is read rather than answered shows the bar at its end until something is decided. */
  const cards = document.querySelector(".cards[data-section]");
  const bar = element("div", { id: "answerbar", role: "region", "aria-label": "Decisions" },
    element("div", { class: "grow" }, progress, element("span", { class: "bar-track" }, fill)),
    start, ...(cards ? [menu] : []), undoButton, who, download);
  document.querySelector("main").append(bar);

  function paintBar() {
    const n = decisions.size + names.size;
    const named = names.size ? ", " + names.size + " named as a whole" : "";
    progress.textContent = decisions.size.toLocaleString("en") + " of " + images.length.toLocaleString("en") + " answered" + named;
    fill.style.width = 100 * decisions.size / images.length + "%";
    undoButton.disabled = !undone.length;
    download.disabled = !n;
    bar.classList.toggle("quiet", !cards && !n);
    bar.classList.toggle("unanswered", !n);
  }

  function quoted(text) {
    text = String(text);
    return /[",\r\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
  }

  /* A class that was not there is said to be new, so that it is not taken for a slip. */
  function written(action, label) {
    return action === "relabel" && !sheet.classes.includes(label) ? "new" : action;
  }

  /* The table that `fishembed fix` reads. */
  function table() {
    const rows = [], seen = new Set();
    [...decisions].sort((a, b) => a[0] - b[0]).forEach(([i, decision]) => {
      const image = images[i];
      seen.add(image.path);
      rows.push([image.path, written(decision.action, decision.label), decision.label, image.label || "",
        decision.action === "drop" || decision.action === "unsure" ? "" : image.split || "", image.chosen || "", who.value.trim(), decision.when]);
    });
    names.forEach((name, number) => {
      sheet.sections[number].members.filter((path) => !seen.has(path)).forEach((path) => {
        rows.push([path, written("relabel", name.label), name.label, "", "", "cluster", who.value.trim(), name.when]);
      });
    });
    const head = ["path", "action", "new_label", "label", "split", "chosen", "who", "when"];
    return [head, ...rows].map((row) => row.map(quoted).join(",")).join("\n") + "\n";
  }

  /* Names that are no text come as signs of a private area: their bytes are put back. */
  function bytes(text) {
    const parts = [], coder = new TextEncoder();
    text.split(/([\uf780-\uf7ff])/).forEach((part, k) => {
      parts.push(k % 2 ? new Uint8Array([part.charCodeAt(0) - 0xf700]) : coder.encode(part));
    });
    return parts;
  }

  function save_as() {
    save();
    const link = element("a", { href: URL.createObjectURL(new Blob(bytes(table()), { type: "text/csv" })), download: "decisions.csv" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  addEventListener("pagehide", save);
  restore();
  adopt(document);
  makeNaming();
  layCards();
  paintBar();
  window.fishembedAnswers = { table, decisions, names, adopt, open };
}
