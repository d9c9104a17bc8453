// @ts-check
// The form of a schedule: a playlist on some signs at some hours.
import { fresh, remove, slug } from './api.js';
import { ask, busy, clearProblems, dialog, field, h, options, problems } from './dom.js';
import { save } from './conflict.js';
import { dates, hours } from './hours.js';
import { me } from './shell.js';
import { signChoice } from './signchoice.js';
import { say } from './words.js';

// editSchedule opens the form; it answers true when something was written.
// lists are [ref, name], signs the owner's.
export function editSchedule(schedule, etag, { lists, signs, taken, writable }) {
  return dialog(schedule.id ? say('plan.edit', { name: schedule.name || schedule.id }) : say('plan.add'), (close) => {
    const name = h('input', { name: 'name', maxlength: 200, autocomplete: 'off', value: schedule.name || '' });
    const list = options(h('select', { name: 'playlist' }), lists, schedule.playlist || (lists[0] || [''])[0]);
    const window = hours(schedule);
    const first = h('input', { type: 'date', name: 'first', value: schedule.first || '' });
    const last = h('input', { type: 'date', name: 'last', value: schedule.last || '' });
    const except = dates(say('c.except'), schedule.except);
    const priority = h('input', { type: 'number', name: 'priority', min: 0, max: 100, value: schedule.priority || 0 });
    const where = signChoice(signs, schedule);
    const button = h('button', { cls: 'main' }, say('plan.save'));
    const form = h('form', {}, field(say('plan.playlist'), list, { path: 'playlist' }), field(say('plan.name'), name, { path: 'name' }), window.element, where.element,
      h('div', { cls: 'form-grid' }, field(say('plan.first'), first, { path: 'first' }), field(say('plan.last'), last, { path: 'last', hint: say('plan.last_hint') }), field(say('plan.priority'), priority, { path: 'priority', hint: say('plan.priority_hint') })),
      except.element, problems(), h('div', { cls: 'buttons' }, writable ? button : null, h('button', { type: 'button', cls: 'quiet', onclick: () => close(null) }, say(writable ? 'c.cancel' : 'c.close')), writable && etag ? erase() : null));

    function erase() {
      const b = h('button', { type: 'button', cls: 'danger' }, say('plan.delete'));
      b.addEventListener('click', () => busy(b, form, async () => {
        if (!await ask(say('plan.delete'), say('plan.delete_ask', { name: schedule.name || schedule.id }), say('plan.delete'))) return;
        await remove(`/api/v1/owners/${me.owner}/schedules/${schedule.id}`, { etag });
        close(true);
      }));
      return b;
    }

    form.addEventListener('submit', (e) => {
      e.preventDefault();
      busy(button, form, async () => {
        clearProblems(form);
        const body = structuredClone(schedule);
        for (const k of ['days', 'from', 'until', 'first', 'last', 'except', 'signs', 'tags', 'name', 'priority']) delete body[k];
        Object.assign(body, window.value(), where.value(), { playlist: list.value, owner: me.owner });
        if (name.value.trim()) body.name = name.value.trim();
        if (first.value) body.first = first.value;
        if (last.value) body.last = last.value;
        if (except.value().length) body.except = except.value();
        if (Number(priority.value)) body.priority = Number(priority.value);
        if (!body.id) body.id = fresh(slug(body.name || list.value.replace('public/', ''), 'lich'), taken);
        const answer = await save(`/api/v1/owners/${me.owner}/schedules/${body.id}`, body, etag);
        if (answer) close(true);
      });
    });
    return form;
  });
}
