/** A code as the gateway compares it, however it was typed: in full width, with spaces, dashes or a full stop. */
export const plainCode = (text) => text.normalize('NFKC').replace(/[^0-9a-z]/gi, '');
