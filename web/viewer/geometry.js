// Sizes and places: how large a desktop to ask for, where its picture goes, and which of its pixels
// a finger or pointer is on. Pure functions.

// What RDP allows ([MS-RDPEDISP] 2.2.2.2.1): 200 to 8192, an even width. Less than 640 by 480 no
// desktop is usable on; the picture is made smaller instead.
const MIN = { width: 640, height: 480 };
const MAX = 8192;

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/**
 * The desktop to ask for when the stage is this large (CSS pixels): {width, height, scale}, scale in
 * per cent. dense: one desktop pixel for each pixel of the screen, not for each CSS pixel.
 */
export function wantedSize(stage, ratio, dense) {
  const factor = dense ? ratio : 1;
  return {
    width: clamp(Math.floor(stage.width * factor), MIN.width, MAX) & ~3,
    height: clamp(Math.floor(stage.height * factor), MIN.height, MAX) & ~1,
    scale: dense ? clamp(Math.round(ratio * 100), 100, 500) : 100,
  };
}

/**
 * Where a picture goes on the stage, in CSS pixels: {width, height, left, top}.
 *
 * mode: 'fit' (whole, in proportion), 'fill' (the whole stage), 'real' (pixel for pixel; what does
 * not fit is scrolled to). pixel: CSS pixels per desktop pixel in 'real'.
 */
export function place(stage, picture, mode, pixel = 1) {
  let { width, height } = stage;
  if (mode === 'real') {
    width = picture.width * pixel;
    height = picture.height * pixel;
  } else if (mode === 'fit') {
    const factor = Math.min(stage.width / picture.width, stage.height / picture.height);
    // A desktop of the stage's size up to rounding is shown as it is, not blurred by half a per cent.
    const near = Math.abs(factor / pixel - 1) < 0.02 && factor >= pixel;
    width = picture.width * (near ? pixel : factor);
    height = picture.height * (near ? pixel : factor);
  }
  return {
    width, height,
    left: Math.max(0, Math.floor((stage.width - width) / 2)),
    top: Math.max(0, Math.floor((stage.height - height) / 2)),
  };
}

/** The desktop's pixel under a point of the page. box: where the picture is shown. */
export function pixelAt(point, box, picture) {
  const along = (at, start, length, pixels) => clamp(Math.floor(((at - start) / length) * pixels), 0, pixels - 1);
  return {
    x: along(point.x, box.left, box.width, picture.width),
    y: along(point.y, box.top, box.height, picture.height),
  };
}
