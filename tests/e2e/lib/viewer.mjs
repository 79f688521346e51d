// The viewer's page as a person uses it, in either browser; and what is on its canvas.
import { run } from './proc.mjs';
import { difference, screenshot } from './desktop.mjs';

// The remote picture itself, whatever the page scales it to: {width, height, pixels}.
export async function picture(evaluate) {
  const url = await evaluate(`document.querySelector('canvas').toDataURL('image/png')`);
  const png = Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
  return { width: png.readUInt32BE(16), height: png.readUInt32BE(20), pixels: run('convert', ['png:-', '-alpha', 'off', '-depth', '8', 'rgb:-'], { input: png, encoding: 'buffer' }).stdout };
}

// How much of the canvas differs from what the server's display shows; 1 when the sizes differ.
export async function differs(evaluate, desktop) {
  const here = await picture(evaluate);
  return difference(screenshot(desktop.display), here.pixels);
}
