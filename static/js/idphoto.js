// ID photos: a frame of a fixed size in millimetres over the cutout, dragged and zoomed by hand, saved at 300 dpi,
// alone or as a sheet to print.
import { followDrag } from "./drag.js";

const DPI = 300;
const MM_PER_INCH = 25.4;
const SHEET_MM = [152, 102]; // 6 x 4 inch photo paper
const GAP_MM = 2;
const HEAD_ROOM = 0.1; // share of the frame's height above the head
const pixels = (mm) => Math.round((mm / MM_PER_INCH) * DPI);

let dialog = null;
let current = null;

export function openIdPhoto(cutout, state, { onBlob }) {
  dialog = document.getElementById("id-dialog");
  const element = (name) => dialog.querySelector(`#id-${name}`);
  current = { cutout, state, onBlob, canvas: element("canvas"), zoom: 1, shift: [0, 0] };
  if (!dialog.dataset.wired) wire(element);
  dialog.dataset.wired = "yes";
  element("zoom").value = 1;
  dialog.showModal();
  draw();
}

function wire(element) {
  element("size").addEventListener("change", draw);
  dialog.querySelectorAll("[name=id-color]").forEach((input) => input.addEventListener("change", draw));
  element("zoom").addEventListener("input", (event) => { current.zoom = Number(event.target.value); draw(); });
  element("canvas").addEventListener("pointerdown", startDrag);
  element("canvas").addEventListener("keydown", nudge);
  element("save").addEventListener("click", async () => current.onBlob(await jpeg(current.canvas), "id-photo.jpg"));
  element("sheet").addEventListener("click", async () => current.onBlob(await jpeg(sheet()), "id-photo-sheet.jpg"));
  element("close").addEventListener("click", () => dialog.close());
}

const sizeMm = () => dialog.querySelector("#id-size").value.split("x").map(Number);
const color = () => dialog.querySelector("[name=id-color]:checked").value;

// How large a pixel of the picture is on the photo, and where the picture's corner lies: the subject fills the width.
function placement(width, height) {
  const [left, top, right] = current.state.foreground ?? [0, 0, current.state.width];
  const scale = (width / Math.max(1, right - left)) * 0.96 * current.zoom;
  const x = width / 2 - ((left + right) / 2) * scale + current.shift[0];
  const y = height * HEAD_ROOM - top * scale + current.shift[1];
  return { scale, x, y };
}

function draw() {
  const [width, height] = sizeMm().map(pixels);
  const { canvas, cutout, state } = current;
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  context.fillStyle = color();
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  const { scale, x, y } = placement(width, height);
  context.drawImage(cutout, x, y, state.width * scale, state.height * scale);
}

function startDrag(event) {
  const { canvas } = current;
  const ratio = canvas.width / canvas.getBoundingClientRect().width;
  canvas.setPointerCapture(event.pointerId);
  followDrag(event, (dx, dy) => {
    current.shift = [current.shift[0] + dx * ratio, current.shift[1] + dy * ratio];
    draw();
  });
}

function nudge(event) {
  const step = { ArrowLeft: [-4, 0], ArrowRight: [4, 0], ArrowUp: [0, -4], ArrowDown: [0, 4] }[event.key];
  if (!step) return;
  event.preventDefault();
  current.shift = [current.shift[0] + step[0], current.shift[1] + step[1]];
  draw();
}

function sheet() {
  const [width, height] = SHEET_MM.map(pixels);
  const gap = pixels(GAP_MM);
  const photo = current.canvas;
  const columns = Math.floor((width - gap) / (photo.width + gap));
  const rows = Math.floor((height - gap) / (photo.height + gap));
  const paper = Object.assign(document.createElement("canvas"), { width, height });
  const context = paper.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.strokeStyle = "#bbb";
  const [left, top] = [(width - columns * (photo.width + gap) + gap) / 2, (height - rows * (photo.height + gap) + gap) / 2];
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const [x, y] = [left + column * (photo.width + gap), top + row * (photo.height + gap)];
      context.drawImage(photo, x, y);
      context.strokeRect(x - 0.5, y - 0.5, photo.width + 1, photo.height + 1);
    }
  }
  return paper;
}

// A canvas writes no resolution; printers go by it, so the JFIF header is told: bytes 13 to 17, unit inch.
async function jpeg(canvas) {
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.95));
  const bytes = new Uint8Array(await blob.arrayBuffer());
  bytes.set([1, DPI >> 8, DPI & 255, DPI >> 8, DPI & 255], 13);
  return new Blob([bytes], { type: "image/jpeg" });
}
