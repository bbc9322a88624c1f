/* Tips on the points of figures, the confusion matrix, the map of the embeddings. */
document.querySelectorAll("[data-points]").forEach((figure) => {
  const tips = data.tips[figure.dataset.points] || [];
  const group = figure.querySelector('[id$="-points"]');
  if (!group || !tips.length) return;
  const marks = Array.from(group.querySelectorAll("use, path")).filter((mark) => !mark.closest("defs"));
  marks.forEach((mark, i) => {
    if (tips[i]) mark.dataset.tip = tips[i];
  });
});

function colours() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(name).trim();
  return {
    ink: read("--ink"), muted: read("--muted"), line: read("--line"), paper: read("--paper"),
    right: read("--right"), wrong: read("--wrong"), font: getComputedStyle(document.body).fontFamily,
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
  const state = { show: "counts", classes: matrix.focus ? "focus" : "all", at: null };
  const found = new Map();
  let most = 1;
  for (let i = 0; i < matrix.cells.length; i += 3) {
    found.set(matrix.cells[i] * matrix.names.length + matrix.cells[i + 1], matrix.cells[i + 2]);
    most = Math.max(most, matrix.cells[i + 2]);
  }
  let shown, place, size, left, top;

  function count(row, column) {
    return found.get(row * matrix.names.length + column) || 0;
  }

  function words(row, column) {
    const total = matrix.totals[row];
    if (!total) return "true " + matrix.names[row] + ": no scored images";
    const n = count(row, column);
    const share = Math.round(100 * n / total);
    return "true " + matrix.names[row] + ", called " + matrix.names[column] + ": " + n + " of " + total +
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
    const least = size < 4 ? 0.3 : 0.1;
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
    pen.fillText("called", left + side / 2, top + side + margin + (named ? -6 : -6));
    pen.save();
    pen.translate(9, top + side / 2);
    pen.rotate(-Math.PI / 2);
    pen.fillText("true", 0, 0);
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

  function walk(event) {
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
  canvas.addEventListener("pointerleave", leave);
  canvas.addEventListener("blur", leave);
  canvas.addEventListener("keydown", walk);
  document.querySelectorAll("#mixups .choice").forEach((choice) => {
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
  const menu = document.getElementById("map-class");
  map.names.forEach((name, i) => menu.add(new Option(name, i)));
  let scale = 1;
  const edge = 10;

  function kind(i, chosen) {
    const t = map.points[i + 2], c = map.points[i + 3];
    if (chosen < 0) return t === c ? "right" : "wrong";
    if (t === chosen) return t === c ? "own" : "wrong";
    return c === chosen ? "taken" : "other";
  }

  function draw() {
    const ink = colours(), chosen = Number(menu.value);
    const width = Math.min(canvas.parentElement.clientWidth, 1000);
    scale = Math.min((width - 2 * edge) / (map.width || 1), 640 / (map.height || 1));
    const pen = prepare(canvas, Math.ceil(map.width * scale + 2 * edge), Math.ceil(map.height * scale + 2 * edge));
    const looks = {
      other: [ink.muted, 2, 0.14], right: [ink.muted, 2.6, 0.4], own: [ink.right, 3.4, 0.85],
      taken: [ink.wrong, 3.2, 0.9], wrong: [ink.wrong, 3.2, 0.8],
    };
    Object.entries(looks).forEach(([name, [colour, radius, alpha]]) => {
      pen.fillStyle = pen.strokeStyle = colour;
      pen.globalAlpha = alpha;
      for (let i = 0; i < map.points.length; i += 4) {
        if (kind(i, chosen) !== name) continue;
        pen.beginPath();
        pen.arc(edge + map.points[i] * scale, edge + (map.height - map.points[i + 1]) * scale, radius, 0, 7);
        if (name === "taken") pen.stroke();
        else pen.fill();
      }
    });
    if (chosen < 0) nameClasses(pen, ink);
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

  function point(event) {
    const box = canvas.getBoundingClientRect();
    const x = event.clientX - box.left - edge, y = event.clientY - box.top - edge;
    let best = null, nearest = 144;
    for (let i = 0; i < map.points.length; i += 4) {
      const away = (map.points[i] * scale - x) ** 2 + ((map.height - map.points[i + 1]) * scale - y) ** 2;
      if (away < nearest) [best, nearest] = [i, away];
    }
    if (best === null) hideTip();
    else {
      const t = map.points[best + 2], c = map.points[best + 3];
      showTip(t === c ? map.names[t] + ", called right" : "true " + map.names[t] + ", called " + map.names[c],
        event.clientX, event.clientY);
    }
  }

  canvas.addEventListener("pointermove", point);
  canvas.addEventListener("pointerdown", point);
  canvas.addEventListener("pointerleave", hideTip);
  menu.addEventListener("change", draw);
  redrawOnChange(draw);
}

const matrixCanvas = document.getElementById("matrix");
if (matrixCanvas && data.matrix) drawMatrix(matrixCanvas, data.matrix);
const mapCanvas = document.getElementById("map");
if (mapCanvas && data.map) drawMap(mapCanvas, data.map);
