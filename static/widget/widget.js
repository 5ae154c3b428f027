/* Doorstep chat: the one tag a shop puts on its pages.
 *
 *   <script src="https://care.example/static/widget/widget.js" data-title="Help" defer></script>
 *
 * It reads the tag's settings and loads the rest from its own folder. What the settings mean is in
 * docs/embedding.md. Nothing on the page is read or changed, apart from one element added to the body. */
(() => {
  const tag = document.currentScript ?? document.querySelector('script[src*="/widget/widget.js"]');
  if (!tag || document.querySelector('doorstep-chat')) return;

  const here = new URL('.', tag.src);
  const { url, title, accent, identity, position, greeting } = tag.dataset;
  const settings = {
    url: url || new URL('/ws/chat/', here).href.replace(/^http/, 'ws'),
    title: title || '',
    accent: accent || '#1f5a4c',
    identity: identity || '',
    position: position === 'left' ? 'left' : 'right',
    greeting: greeting || 'Hello. Ask me where an order is, or about a return, an invoice or an address.',
  };

  const style = fetch(new URL('widget.css', here)).then((response) => response.text());
  const body = new Promise((resolve) => {
    if (document.body) resolve();
    else document.addEventListener('DOMContentLoaded', resolve, { once: true });
  });
  Promise.all([import(new URL('chat.js', here).href), style, body])
    .then(([{ mount }, css]) => mount(settings, css))
    .catch((error) => console.error('The chat could not be loaded.', error));
})();
