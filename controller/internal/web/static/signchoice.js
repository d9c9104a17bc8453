// @ts-check
// Some of one's own signs, or all: of a schedule, of an agreement.
import { Problem } from './api.js';
import { field, h } from './dom.js';
import { say } from './words.js';

// signChoice is a set of controls for {signs, tags}: {element, value()}.
export function signChoice(signs, thing) {
  const named = (thing.signs || []).length + (thing.tags || []).length > 0;
  const all = h('input', { type: 'radio', name: 'which', checked: !named });
  const some = h('input', { type: 'radio', name: 'which', checked: named });
  const gone = (thing.signs || []).filter((id) => !signs.some((s) => s.id === id));
  const boxes = [...signs.map((s) => [s.id, s.name || s.id]), ...gone.map((id) => [id, id])].map(([id, text]) => [id, h('input', { type: 'checkbox', checked: (thing.signs || []).includes(id) }), text]);
  const tags = h('input', { name: 'tags', autocomplete: 'off', spellcheck: 'false', value: (thing.tags || []).join(' ') });
  const choice = h('div', { hidden: !named }, h('div', { cls: 'field', data: { path: 'signs' } }, h('div', { cls: 'days-choice' }, boxes.map(([, box, text]) => h('label', { cls: 'check' }, box, text))), h('p', { cls: 'problem', hidden: true })), field(say('c.tags'), tags, { path: 'tags', hint: say('c.tags_hint') }));
  for (const r of [all, some]) r.addEventListener('change', () => { choice.hidden = !some.checked; });
  return {
    element: h('fieldset', {}, h('legend', {}, say('c.signs')), h('label', { cls: 'check' }, all, say('c.all_signs')), h('label', { cls: 'check' }, some, say('c.some_signs')), choice),
    value() {
      if (!some.checked) return {};
      const ids = boxes.filter(([, box]) => box.checked).map(([id]) => id);
      const words = tags.value.split(/[\s,]+/).filter(Boolean);
      if (!ids.length && !words.length) throw new Problem(422, { field: 'signs', title: say('c.no_sign') }); // none would mean all
      return { ...(ids.length ? { signs: ids } : {}), ...(words.length ? { tags: words } : {}) };
    },
  };
}
