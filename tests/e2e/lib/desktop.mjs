// Real desktops and a screen to look at them from.
import { join } from 'node:path';
import { ready, root, run, start, stop } from './proc.mjs';

const SHADOW = join(root, 'scripts/lib/demo-desktop');
const XRDP = join(root, 'tests/e2e/lib/xrdp-desktop');

// {display, port, pids, typed, stop()} of a desktop that answers.
async function desktop(script, args) {
  const process = start(script, args);
  await ready(process, `${script} is ready`, () => process.out.includes('\n'), { ms: 120_000 });
  return { ...JSON.parse(process.out), stop: () => stop(process) };
}

export const shadowDesktop = (...args) => desktop(SHADOW, ['--plain', '--size', '1024x768', ...args]);
// With "--xorg" (as root): xorgxrdp and a clipboard channel; otherwise a VNC server behind xrdp.
export const xrdpDesktop = (...args) => desktop(XRDP, args);

// An X display for a client: {display, stop()}.
export async function screen(size = '1024x768') {
  const process = start('Xvfb', ['-displayfd', '1', '-screen', '0', `${size}x24`, '-nolisten', 'tcp', '-noreset']);
  await ready(process, 'an X display', () => process.out.endsWith('\n'), { ms: 60_000 });
  return { display: `:${process.out.trim()}`, stop: () => stop(process) };
}

// Pixels of a display's root window, three bytes each.
export function screenshot(display) {
  const { stdout } = run('import', ['-display', display, '-window', 'root', '-depth', '8', 'rgb:-'], { encoding: 'buffer' });
  return stdout;
}

// The share of pixels that differ clearly: RDP's codecs may lose a little.
export function difference(one, other) {
  if (one.length !== other.length) return 1;
  let different = 0;
  for (let i = 0; i < one.length; i += 3) {
    const most = Math.max(Math.abs(one[i] - other[i]), Math.abs(one[i + 1] - other[i + 1]),
      Math.abs(one[i + 2] - other[i + 2]));
    if (most > 64) different++;
  }
  return different / (one.length / 3);
}

// The share of pixels that are not of the most frequent brightness: 0 for an empty picture.
export function busyness(pixels) {
  const counts = new Uint32Array(256);
  for (let i = 0; i < pixels.length; i += 3) counts[pixels[i + 1]]++;
  return 1 - Math.max(...counts) / (pixels.length / 3);
}

export function xdotool(display, ...args) {
  return run('xdotool', args.map(String), { env: { DISPLAY: display } }).stdout;
}

// The keys (X's key codes) that are down on a display.
export function keysDown(display) {
  return JSON.parse(run('python3', ['-c', `import ctypes, sys
x = ctypes.CDLL('libX11.so.6')
x.XOpenDisplay.restype = ctypes.c_void_p
bits = (ctypes.c_ubyte * 32)()
x.XQueryKeymap(ctypes.c_void_p(x.XOpenDisplay(sys.argv[1].encode())), bits)
print([key for key in range(256) if bits[key // 8] >> key % 8 & 1])`, display]).stdout);
}
