/* Whose page this is, as far as the widget must know: a browser that another customer signs in on must not
 * show the conversation of the one before. The token is checked by the server alone. */

/** A short hash of the email in a signed identity, '' without one. */
export function subject(token) {
  try {
    const payload = token.split('.')[0].replaceAll('-', '+').replaceAll('_', '/');
    return fingerprint(String(JSON.parse(atob(payload)).email).toLowerCase());
  } catch {
    return token && fingerprint(token);
  }
}

/** FNV-1a, 32 bits. */
function fingerprint(text) {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ character.codePointAt(0), 0x01000193);
  return (hash >>> 0).toString(16);
}
