// The RDP client: a package from npm with its WebAssembly module, over a megabyte on the wire, so
// loaded only here, once.

let loading = null;
let generation = 0;

/** The package's module, ready to use. */
export function loadClient() {
  loading ??= load();
  return loading;
}

async function load() {
  // A fragment makes a module of its own of the same (cached) file.
  const address = generation ? `/viewer/rdp.js#${generation}` : '/viewer/rdp.js';
  try {
    const client = await import(address);
    await client.init('ERROR');
    return client;
  } catch (error) {
    discardClient();
    throw error;
  }
}

/** After a panic of the WebAssembly module nothing works in it any more; the next load is fresh. */
export function discardClient() {
  generation++;
  loading = null;
}

/** Calls back when the module has panicked, which no promise of the package tells. */
export function onPanic(callback) {
  const look = (error) => {
    if (error instanceof WebAssembly.RuntimeError) callback(error);
  };
  addEventListener('error', (event) => look(event.error));
  addEventListener('unhandledrejection', (event) => look(event.reason));
}
