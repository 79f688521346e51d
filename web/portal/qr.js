// A QR code as an SVG picture, from the rows of '0' and '1' that the gateway sends.

const SVG = 'http://www.w3.org/2000/svg';
const QUIET = 4; // modules of margin, ISO/IEC 18004

/** One path for all dark modules: a run of them is one rectangle. */
export function path(rows) {
  let text = '';
  rows.forEach((row, y) => {
    for (const run of row.matchAll(/1+/g)) text += `M${run.index + QUIET} ${y + QUIET}h${run[0].length}v1h-${run[0].length}z`;
  });
  return text;
}

export function qrCode(rows, label) {
  const size = rows.length + 2 * QUIET;
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${size} ${size}`);
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', label);
  svg.setAttribute('class', 'qr');
  const dark = document.createElementNS(SVG, 'path');
  dark.setAttribute('d', path(rows));
  svg.append(dark);
  return svg;
}
