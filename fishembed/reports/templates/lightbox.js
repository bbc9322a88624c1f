/* Photos open large: by click and Enter, the arrows go on, Escape closes. */
const photos = { known: [], at: -1, dialog: null };

function openLarge(image) {
  photos.known = Array.from(document.querySelectorAll("img[data-file]:not([data-answer])")).filter((one) => one.offsetParent);
  if (!photos.dialog) photos.dialog = makeLightbox();
  if (!photos.dialog.open) photos.dialog.showModal();
  showLarge(photos.known.indexOf(image));
}

function makeLightbox() {
  const dialog = document.createElement("dialog");
  dialog.id = "lightbox";
  dialog.setAttribute("aria-label", "Photo");
  dialog.innerHTML = '<div class="photo"><img alt=""></div><div class="below"><p class="words"></p><p class="file"></p>'
    + '<p class="feet"><button type="button" data-step="-1">Back <kbd>←</kbd></button><button type="button" data-step="1">On <kbd>→</kbd></button>'
    + '<span class="place"></span><button type="button" data-close>Close <kbd>Esc</kbd></button></p></div>';
  document.body.append(dialog);
  const image = dialog.querySelector("img");
  /* The file itself may not have come with the page: then the small copy has to do. */
  image.addEventListener("error", () => {
    const small = photos.known[photos.at].src;
    if (image.getAttribute("src") !== small) image.src = small;
  });
  dialog.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button && button.dataset.step) showLarge(photos.at + Number(button.dataset.step));
    else if (button || event.target.matches(".photo, dialog")) dialog.close();
  });
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    showLarge(photos.at + step);
  });
  dialog.addEventListener("close", () => photos.known[photos.at] && photos.known[photos.at].focus());
  return dialog;
}

function showLarge(at) {
  const shown = photos.known[at], dialog = photos.dialog;
  if (!shown) return;
  photos.at = at;
  const image = dialog.querySelector("img");
  image.src = shown.dataset.large || shown.src;
  image.alt = shown.alt;
  dialog.querySelector(".words").textContent = shown.alt;
  dialog.querySelector(".file").textContent = shown.dataset.file;
  dialog.querySelector(".place").textContent = (at + 1) + " of " + photos.known.length;
  dialog.querySelectorAll("[data-step]").forEach((button) => {
    button.disabled = !photos.known[at + Number(button.dataset.step)];
  });
}

function opensLarge(image) {
  image.tabIndex = 0;
  image.setAttribute("role", "button");
  image.addEventListener("click", () => openLarge(image));
  image.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    openLarge(image);
  });
}

document.querySelectorAll("img[data-file]:not([data-answer])").forEach(opensLarge);
