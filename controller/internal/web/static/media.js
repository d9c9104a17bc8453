// Pictures: by drag and drop or by a button, with progress, and which messages
// use them.
import { fresh, remove, slug, upload } from './api.js';
import { announce, ask, busy, h, problemText } from './dom.js';
import { say, number } from './words.js';

// mediaPanel shows an owner's pictures. host: {owner, writable, media(),
// messages(), classes(), mediaChanged(), use(id)}.
export function mediaPanel(box, host) {
  const rows = h('div', { 'aria-live': 'polite' });
  const file = h('input', { type: 'file', accept: 'image/png,image/jpeg,image/gif,image/webp', multiple: true, cls: 'unseen', tabindex: '-1', 'aria-hidden': 'true', id: 'media-file' });
  const choose = h('button', { type: 'button', cls: 'main', onclick: () => file.click() }, say('media.choose'));
  const drop = h('div', { cls: 'drop' }, h('p', {}, say('media.drop')), choose, file, h('p', { cls: 'hint' }, say('media.limits')));
  const thumbs = h('div', { cls: 'thumbs' });

  async function send(files) {
    const taken = host.media().map((m) => m.id);
    for (const f of files) {
      const id = fresh(slug(f.name.replace(/\.[^.]+$/, ''), 'anh'), taken);
      taken.push(id);
      const bar = h('progress', { max: 1, value: 0, 'aria-label': say('media.progress', { name: f.name }) });
      const text = h('span', {}, f.name);
      const row = h('div', {}, text, bar);
      rows.append(row);
      try {
        await upload(`/api/v1/owners/${host.owner}/media/${id}`, f, (part) => { bar.value = part; });
        row.remove();
        announce(say('media.uploaded', { name: id }));
      } catch (p) {
        bar.remove();
        row.replaceChildren(h('p', { cls: 'problem' }, `${f.name}: ${problemText(p)}`));
      }
    }
    file.value = '';
    await host.mediaChanged();
    draw();
  }

  function draw() {
    const shownOn = host.classes().find((c) => c.endsWith('-rgb')) || host.classes()[0] || '128x64-rgb';
    thumbs.replaceChildren(...host.media().map((m) => {
      const used = host.messages().filter((x) => x.image && x.image.media === m.id).map((x) => x.id);
      const erase = h('button', { type: 'button', cls: 'quiet icon', 'aria-label': say('media.delete', { name: m.id }), title: say('media.delete', { name: m.id }) }, '✕');
      const card = h('div', { cls: 'thumb' }, h('img', { src: `/api/v1/owners/${host.owner}/media/${m.id}/thumb.png?class=${shownOn}`, alt: say('media.alt', { name: m.id }), loading: 'lazy', width: 160, height: 80 }),
        h('div', {}, h('strong', {}, m.id), h('div', { cls: 'hint' }, `${m.w}×${m.h} · ${number(m.len / 1024, m.len < 10240 ? 1 : 0)} KiB${m.frames > 1 ? ` · ${say('media.frames', { n: m.frames })}` : ''}`), h('div', { cls: 'hint' }, used.length ? say('media.used', { list: used.join(', ') }) : say('media.unused')),
          host.writable ? h('div', { cls: 'buttons' }, h('button', { type: 'button', cls: 'quiet', onclick: () => host.use(m.id) }, say('media.use')), used.length ? null : erase) : null));
      erase.addEventListener('click', () => busy(erase, box, async () => {
        if (!await ask(say('media.delete', { name: m.id }), say('media.delete_ask'), say('media.delete_yes'))) return;
        await remove(`/api/v1/owners/${host.owner}/media/${m.id}`);
        await host.mediaChanged();
        draw();
      }));
      return card;
    }));
    if (!host.media().length) thumbs.replaceChildren(h('p', { cls: 'hint' }, say('media.none')));
  }

  if (host.writable) {
    file.addEventListener('change', () => send([...file.files]));
    for (const [event, over] of [['dragover', true], ['dragleave', false], ['drop', false]]) {
      drop.addEventListener(event, (e) => {
        e.preventDefault();
        drop.classList.toggle('over', over);
        if (event === 'drop') send([...e.dataTransfer.files]);
      });
    }
  }
  box.replaceChildren(h('h2', {}, say('media.title')), host.writable ? drop : '', rows, thumbs);
  draw();
}
