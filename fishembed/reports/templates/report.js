/* Small photos of the matrix's cells and of the map come in one image; each is cut out when needed. */
const small = { places: new Map(), image: null, cut: new Map() };
if (data.small) {
  for (let i = 0; i < data.small.numbers.length; i += 2) small.places.set(data.small.numbers[i], data.small.numbers[i + 1]);
  small.image = new Image();
  small.image.src = data.small.uri;
}

/* The small photo of a number as a data URL; "" where the page has none. */
function smallPhoto(number) {
  const shown = document.querySelector('img[data-answer="' + number + '"]');
  if (shown) return shown.getAttribute("src");
  if (!small.places.has(number) || !small.image.complete || !small.image.naturalWidth) return "";
  if (!small.cut.has(number)) {
    const place = small.places.get(number), [width, height] = data.small.tile;
    const [w, h] = data.small.sizes.slice(2 * place, 2 * place + 2);
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [w, h];
    canvas.getContext("2d").drawImage(small.image, (place % data.small.columns) * width,
      Math.floor(place / data.small.columns) * height, w, h, 0, 0, w, h);
    small.cut.set(number, canvas.toDataURL("image/jpeg", 0.9));
  }
  return small.cut.get(number);
}

/* Tips on the points of figures; a click on a point of the species names it. */
function marksOf(figure) {
  const group = figure.querySelector('[id$="-points"]');
  return group ? Array.from(group.querySelectorAll("use, path")).filter((mark) => !mark.closest("defs")) : [];
}

document.querySelectorAll("[data-points]").forEach((figure) => {
  const tips = data.tips[figure.dataset.points] || [];
  marksOf(figure).forEach((mark, i) => {
    if (tips[i]) mark.dataset.tip = tips[i];
  });
});

function namePoints(figure, menu) {
  const tips = data.tips.recall_by_training, marks = marksOf(figure), named = new Map();
  const svg = figure.querySelector("svg");
  tips.forEach((tip, i) => menu.add(new Option(tip.slice(0, tip.lastIndexOf(": ")), i)));

  function nameOf(i) {
    const text = document.createElementNS("http://www.w3.org/2000/svg", "text");
    const box = marks[i].getBBox(), at = marks[i].getCTM(), own = svg.getCTM().inverse().multiply(at);
    const centre = new DOMPoint(box.x + box.width / 2, box.y + box.height / 2).matrixTransform(own);
    const room = svg.viewBox.baseVal, left = centre.x > room.x + room.width * 0.6;
    text.textContent = tips[i].slice(0, tips[i].lastIndexOf(": "));
    text.setAttribute("x", centre.x + (left ? -7 : 7));
    text.setAttribute("y", clear(centre.y + 3));
    text.setAttribute("text-anchor", left ? "end" : "start");
    text.setAttribute("class", "named-point");
    svg.append(text);
    named.set(i, text);
  }

  /* Names must not cover each other. */
  function clear(y) {
    const taken = Array.from(named.values()).map((text) => Number(text.getAttribute("y")));
    let at = y;
    for (let step = 1; taken.some((other) => Math.abs(other - at) < 9) && step < 12; step += 1) {
      at = y + (step % 2 ? 1 : -1) * Math.ceil(step / 2) * 9;
    }
    return at;
  }

  function toggle(i) {
    if (named.has(i)) {
      named.get(i).remove();
      named.delete(i);
    } else nameOf(i);
  }

  marks.forEach((mark, i) => mark.addEventListener("click", () => toggle(i)));
  menu.addEventListener("change", () => menu.value !== "" && !named.has(Number(menu.value)) && nameOf(Number(menu.value)));
  data.named.forEach((i) => marks[i] && nameOf(i));
}

const nameMenu = document.getElementById("name-point");
if (nameMenu) namePoints(document.getElementById("recall_by_training"), nameMenu);

/* May a name be trusted? */
const ask = document.getElementById("ask");
if (ask) {
  ask.addEventListener("change", () => {
    const [summary, words] = data.answers[Number(ask.value)], bold = document.createElement("b");
    bold.textContent = summary;
    document.getElementById("ask-answer").replaceChildren(bold, " " + words);
  });
}

/* What accepting only sure answers wins. */
function share(part, whole) {
  const text = (100 * part / whole).toFixed(0);
  return (text === "100" || text === "0") && part !== whole && part !== 0 ? (100 * part / whole).toFixed(1) : text;
}

const accept = document.getElementById("accept");
if (accept && data.accept) {
  accept.addEventListener("input", () => {
    const at = Number(accept.value), n = data.accept.n[at], says = document.getElementById("accept-says");
    accept.nextElementSibling.textContent = at + "%";
    says.textContent = n
      ? "Accept above " + at + "%: " + share(n, data.accept.n[0]) + "% of the photos, " + share(data.accept.right[at], n) + "% of them right."
      : "Accept above " + at + "%: none of the photos.";
  });
}

function colours() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(name).trim();
  return {
    ink: read("--ink"), muted: read("--muted"), line: read("--line"), paper: read("--paper"),
    right: read("--right"), wrong: read("--wrong"), dark: read("--dark") === "1", font: getComputedStyle(document.body).fontFamily,
  };
}

/* Twice the pixels of the page, so that a canvas is sharp on paper too. */
function prepare(canvas, width, height) {
  const ratio = Math.max(2, devicePixelRatio || 1);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = width + "px";
  canvas.style.height = height + "px";
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}

/* Colours as "#rrggbb": one over another, and black or white, whichever reads better on it. */
function channels(colour) {
  return [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2).padEnd(2, colour[i]), 16));
}

function mixed(over, under, alpha) {
  const low = channels(under);
  return channels(over).map((c, i) => alpha * c + (1 - alpha) * low[i]);
}

function inkOn(rgb) {
  const [r, g, b] = rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? "#000000" : "#ffffff";
}

function shorten(pen, text, width) {
  if (pen.measureText(text).width <= width) return text;
  let low = 1, high = text.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (pen.measureText(text.slice(0, middle) + "…").width <= width) low = middle;
    else high = middle - 1;
  }
  return text.slice(0, low) + "…";
}

function redrawOnChange(draw) {
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth !== width) draw();
    width = innerWidth;
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  addEventListener("beforeprint", () => {
    document.documentElement.classList.add("printing");
    draw();
  });
  addEventListener("afterprint", () => {
    document.documentElement.classList.remove("printing");
    draw();
  });
  draw();
}

function drawMatrix(canvas, matrix) {
  const pressed = document.querySelector("#matrix-section [data-show][aria-pressed=true]");
  const state = { show: pressed ? pressed.dataset.show : "shares", classes: matrix.focus ? "focus" : "all", at: null };
  const found = new Map(), photos = new Map();
  let most = 1;
  for (let i = 0; i < matrix.cells.length; i += 3) {
    found.set(matrix.cells[i] * matrix.names.length + matrix.cells[i + 1], matrix.cells[i + 2]);
    most = Math.max(most, matrix.cells[i + 2]);
  }
  for (let i = 0; i < matrix.photos.length; i += 3) {
    const key = matrix.photos[i] * matrix.names.length + matrix.photos[i + 1];
    if (!photos.has(key)) photos.set(key, []);
    photos.get(key).push(matrix.photos[i + 2]);
  }
  let shown, place, size, left, top;

  function count(row, column) {
    return found.get(row * matrix.names.length + column) || 0;
  }

  function words(row, column) {
    const total = matrix.totals[row];
    if (!total) return matrix.names[row] + ": no scored photos";
    const n = count(row, column);
    const share = Math.round(100 * n / total);
    return matrix.names[row] + ", identified as " + matrix.names[column] + ": " + n + " of " + total +
      " (" + (share === 0 && n ? "<1" : share) + "%)";
  }

  function draw() {
    const ink = colours();
    shown = state.classes === "focus" ? matrix.focus : matrix.names.map((_, i) => i);
    place = new Map(shown.map((index, i) => [index, i]));
    const pen = canvas.getContext("2d");
    const n = shown.length, room = canvas.parentElement.clientWidth;
    const named = n <= 60;
    pen.font = "12px " + ink.font;
    const longest = Math.max(...shown.map((i) => pen.measureText(matrix.names[i]).width));
    const margin = named ? Math.min(longest, room * 0.3, 220) + 28 : 18;
    const widest = n <= 12 ? 54 : named ? 34 : 24;
    size = Math.min((room - margin - 2) / n, widest, named ? widest : 860 / n);
    if (named) size = Math.max(size, 12);
    left = margin;
    top = 1;
    const side = size * n;
    prepare(canvas, Math.ceil(left + side + 2), Math.ceil(top + side + margin + 4));
    paint(pen, ink, side);
    label(pen, ink, named, margin, side);
    if (state.at) mark(pen, ink);
  }

  function paint(pen, ink, side) {
    const n = shown.length;
    if (size >= 5) {
      pen.strokeStyle = ink.line;
      pen.lineWidth = 0.5;
      pen.beginPath();
      for (let i = 1; i < n; i += 1) {
        pen.moveTo(left + i * size, top);
        pen.lineTo(left + i * size, top + side);
        pen.moveTo(left, top + i * size);
        pen.lineTo(left + side, top + i * size);
      }
      pen.stroke();
    }
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.font = Math.min(13, size * 0.45) + "px " + ink.font;
    /* What is right comes last: where cells are smaller than pixels it must not be covered. */
    [false, true].forEach((right) => {
      for (let i = 0; i < matrix.cells.length; i += 3) {
        const row = matrix.cells[i], column = matrix.cells[i + 1];
        const y = place.get(row), x = place.get(column);
        if (right !== (row === column) || x === undefined || y === undefined) continue;
        cell(pen, ink, x, y, matrix.cells[i + 2], matrix.totals[row]);
      }
    });
    pen.strokeStyle = ink.line;
    pen.lineWidth = 1;
    pen.strokeRect(left, top, side, side);
  }

  function cell(pen, ink, x, y, value, total) {
    const depth = state.show === "counts" ? Math.log1p(value) / Math.log1p(most) : Math.sqrt(value / total);
    const least = size < 4 ? 0.4 : ink.dark ? 0.3 : 0.14;
    pen.globalAlpha = least + (1 - least) * depth;
    pen.fillStyle = x === y ? ink.right : ink.wrong;
    pen.fillRect(left + x * size, top + y * size, Math.max(size, 1.5), Math.max(size, 1.5));
    pen.globalAlpha = 1;
    if (size < 17) return;
    pen.fillStyle = inkOn(mixed(x === y ? ink.right : ink.wrong, ink.paper, least + (1 - least) * depth));
    const text = state.show === "counts" ? value : Math.round(100 * value / total);
    pen.fillText(text, left + (x + 0.5) * size, top + (y + 0.5) * size + 0.5);
  }

  function label(pen, ink, named, margin, side) {
    pen.fillStyle = ink.ink;
    pen.font = Math.max(9, Math.min(12, size * 0.75)) + "px " + ink.font;
    if (named) {
      shown.forEach((index, i) => {
        const text = shorten(pen, matrix.names[index], margin - 26);
        pen.textAlign = "right";
        pen.fillText(text, left - 6, top + (i + 0.5) * size);
        pen.save();
        pen.translate(left + (i + 0.5) * size, top + side + 6);
        pen.rotate(-Math.PI / 2);
        pen.fillText(text, 0, 0);
        pen.restore();
      });
    }
    pen.fillStyle = ink.muted;
    pen.font = "12px " + ink.font;
    pen.textAlign = "center";
    pen.fillText("identified as", left + side / 2, top + side + margin + (named ? -6 : -6));
    pen.save();
    pen.translate(9, top + side / 2);
    pen.rotate(-Math.PI / 2);
    pen.fillText("is", 0, 0);
    pen.restore();
  }

  function mark(pen, ink) {
    const [row, column] = state.at;
    pen.strokeStyle = ink.ink;
    pen.lineWidth = 1.5;
    pen.strokeRect(left + column * size, top + row * size, size, size);
  }

  function point(event) {
    const box = canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left - left) / size);
    const row = Math.floor((event.clientY - box.top - top) / size);
    const inside = row >= 0 && column >= 0 && row < shown.length && column < shown.length;
    const before = String(state.at);
    state.at = inside ? [row, column] : null;
    if (String(state.at) !== before) draw();
    if (inside) showTip(words(shown[row], shown[column]), event.clientX, event.clientY);
    else hideTip();
  }

  /* The photos of a cell, below the matrix; what they open is the same large view as elsewhere. */
  function showPhotos(row, column) {
    const home = document.getElementById("cell"), heading = document.createElement("h3");
    const numbers = photos.get(row * matrix.names.length + column) || [], n = count(row, column);
    heading.textContent = words(row, column);
    home.replaceChildren(heading);
    const note = document.createElement("p");
    note.className = "note";
    if (!numbers.length) note.textContent = n ? "Its photos are not in this page; predictions.csv names them." : "No photo.";
    else if (numbers.length < n) note.textContent = numbers.length + " of them:";
    if (note.textContent) home.append(note);
    const gallery = document.createElement("div");
    gallery.className = "gallery cells";
    numbers.forEach((number) => {
      const figure = document.createElement("figure"), image = document.createElement("img"), about = data.answering.images[number];
      const source = smallPhoto(number);
      if (!source) return;
      figure.className = "photo";
      image.src = source;
      image.alt = words(row, column).split(": ")[0];
      image.dataset.answer = number;
      image.dataset.file = about.shown || about.path;
      image.dataset.tip = image.dataset.file;
      const caption = document.createElement("figcaption");
      caption.textContent = (about.lines || [])[0] || "";
      figure.append(image, caption);
      gallery.append(figure);
    });
    home.append(gallery);
    if (window.fishembedAnswers) window.fishembedAnswers.adopt(home);
  }

  function choose(event) {
    point(event);
    if (!state.at) return;
    showPhotos(shown[state.at[0]], shown[state.at[1]]);
  }

  function walk(event) {
    if ((event.key === "Enter" || event.key === " ") && state.at) {
      event.preventDefault();
      showPhotos(shown[state.at[0]], shown[state.at[1]]);
      return;
    }
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    const last = shown.length - 1;
    const [row, column] = state.at || [0, 0];
    state.at = state.at
      ? [Math.max(0, Math.min(last, row + step[0])), Math.max(0, Math.min(last, column + step[1]))] : [0, 0];
    draw();
    const box = canvas.getBoundingClientRect();
    const [y, x] = state.at;
    showTip(words(shown[y], shown[x]), box.left + left + (x + 1) * size, box.top + top + y * size);
  }

  function leave() {
    state.at = null;
    hideTip();
    draw();
  }

  canvas.addEventListener("pointermove", point);
  canvas.addEventListener("pointerdown", point);
  canvas.addEventListener("click", choose);
  canvas.addEventListener("pointerleave", leave);
  canvas.addEventListener("blur", leave);
  canvas.addEventListener("keydown", walk);
  document.querySelectorAll("#matrix-section .choice").forEach((choice) => {
    choice.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      Object.assign(state, button.dataset, { at: null });
      choice.querySelectorAll("button").forEach((b) => b.setAttribute("aria-pressed", String(b === button)));
      draw();
    });
  });
  redrawOnChange(draw);
}

function drawMap(canvas, map) {
  const menu = document.getElementById("map-class"), count = map.points.length / 4;
  map.names.forEach((name, i) => menu.add(new Option(name, i)));
  let scale = 1, at = -1;
  const edge = 10;

  function chosen(i) {
    const wanted = Number(menu.value);
    return wanted < 0 || map.points[4 * i + 2] === wanted || map.points[4 * i + 3] === wanted;
  }

  function place(i) {
    return [edge + map.points[4 * i] * scale, edge + (map.height - map.points[4 * i + 1]) * scale];
  }

  function colour(label, ink) {
    return "hsl(" + map.hues[label] + " " + (ink.dark ? "70% 62%" : "65% 42%") + ")";
  }

  function draw() {
    const ink = colours(), width = Math.min(canvas.parentElement.clientWidth, 1000);
    scale = Math.min((width - 2 * edge) / (map.width || 1), 640 / (map.height || 1));
    const pen = prepare(canvas, Math.ceil(map.width * scale + 2 * edge), Math.ceil(map.height * scale + 2 * edge));
    [false, true].forEach((front) => {
      for (let i = 0; i < count; i += 1) if (chosen(i) === front) dot(pen, ink, i, front);
    });
    if (Number(menu.value) < 0) nameClasses(pen, ink);
    if (at >= 0) {
      pen.globalAlpha = 1;
      pen.strokeStyle = ink.ink;
      pen.lineWidth = 2;
      pen.beginPath();
      pen.arc(...place(at), 9, 0, 7);
      pen.stroke();
    }
  }

  /* Filled with the colour of what it is; the ring of a mistake has that of what it was taken for. */
  function dot(pen, ink, i, front) {
    const [x, y] = place(i), truth = map.points[4 * i + 2], called = map.points[4 * i + 3];
    pen.globalAlpha = front ? 0.9 : 0.12;
    pen.fillStyle = colour(truth, ink);
    pen.beginPath();
    pen.arc(x, y, 3.6, 0, 7);
    pen.fill();
    if (truth === called) return;
    pen.strokeStyle = colour(called, ink);
    pen.lineWidth = 2;
    pen.beginPath();
    pen.arc(x, y, 5.6, 0, 7);
    pen.stroke();
  }

  /* The largest classes first; a name that would cover another is left out. */
  function nameClasses(pen, ink) {
    pen.globalAlpha = 1;
    pen.font = "600 12px " + ink.font;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.lineWidth = 3.5;
    pen.lineJoin = "round";
    const taken = [];
    for (let i = 0; i < map.landmarks.length; i += 3) {
      const text = shorten(pen, map.names[map.landmarks[i + 2]], 170);
      const half = pen.measureText(text).width / 2, full = map.width * scale + 2 * edge;
      const x = Math.max(half + 4, Math.min(full - half - 4, edge + map.landmarks[i] * scale));
      const y = edge + (map.height - map.landmarks[i + 1]) * scale;
      if (taken.some(([a, b, c]) => Math.abs(x - a) < half + b + 4 && Math.abs(y - c) < 17)) continue;
      taken.push([x, half, y]);
      pen.strokeStyle = ink.paper;
      pen.strokeText(text, x, y);
      pen.fillStyle = ink.ink;
      pen.fillText(text, x, y);
    }
  }

  function tell(i, x, y) {
    const truth = map.points[4 * i + 2], called = map.points[4 * i + 3];
    const words = map.names[truth] + (truth === called ? ", identified right" : ", identified as " + map.names[called]);
    const source = map.photos[i] < 0 ? "" : smallPhoto(map.photos[i]);
    showTip(words, x, y, source);
  }

  function nearest(event) {
    const box = canvas.getBoundingClientRect();
    const x = event.clientX - box.left, y = event.clientY - box.top;
    let best = -1, least = 144;
    for (let i = 0; i < count; i += 1) {
      const [px, py] = place(i), away = (px - x) ** 2 + (py - y) ** 2;
      if (away < least && chosen(i)) [best, least] = [i, away];
    }
    return best;
  }

  function point(event) {
    const i = nearest(event);
    canvas.style.cursor = i < 0 ? "" : "zoom-in";
    if (i < 0) hideTip();
    else tell(i, event.clientX, event.clientY);
  }

  function openPhoto(i) {
    if (i >= 0 && map.photos[i] >= 0 && window.fishembedAnswers) window.fishembedAnswers.open(map.photos[i], canvas);
  }

  /* From photo to photo, left to right. */
  const order = Array.from({ length: count }, (_, i) => i).sort((a, b) => map.points[4 * a] - map.points[4 * b] || a - b);

  function walk(event) {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      openPhoto(at);
      return;
    }
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const there = order.filter(chosen);
    const next = at < 0 ? 0 : Math.max(0, Math.min(there.length - 1, there.indexOf(at) + step));
    at = there[next];
    draw();
    const box = canvas.getBoundingClientRect(), [x, y] = place(at);
    tell(at, box.left + x + 8, box.top + y);
  }

  function leave() {
    at = -1;
    hideTip();
    draw();
  }

  canvas.addEventListener("pointermove", point);
  canvas.addEventListener("pointerdown", point);
  canvas.addEventListener("click", (event) => openPhoto(nearest(event)));
  canvas.addEventListener("pointerleave", hideTip);
  canvas.addEventListener("keydown", walk);
  canvas.addEventListener("blur", leave);
  menu.addEventListener("change", draw);
  redrawOnChange(draw);
}

const matrixCanvas = document.getElementById("matrix");
if (matrixCanvas && data.matrix) drawMatrix(matrixCanvas, data.matrix);
const mapCanvas = document.getElementById("map");
if (mapCanvas && data.map) drawMap(mapCanvas, data.map);
