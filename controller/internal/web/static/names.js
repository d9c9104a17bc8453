// @ts-check
// What people call the rules of a plan: a schedule's and a playlist's id say
// little to those who gave them names.
import { items } from './api.js';
import { department, guest, me } from './shell.js';
import { call } from './signview.js';
import { say } from './words.js';

// learnNames reads one's own and the department's. Others' stay ids; without an
// answer all do: it is no reason to show nothing.
export async function learnNames() {
  try {
    await learn();
  } catch (problem) {
    console.info(problem.message);
  }
}

async function learn() {
  const theirs = department ? [] : await items('/api/v1/owners/public/playlists');
  const [schedules, playlists] = guest ? [[], []] : await Promise.all([items(`/api/v1/owners/${me.owner}/schedules`), items(`/api/v1/owners/${me.owner}/playlists`)]);
  const prefix = department ? 'public/' : '';
  for (const p of playlists) call(`playlist:${prefix}${p.id}`, p.name || p.id);
  for (const p of theirs) call(`playlist:public/${p.id}`, `${p.name || p.id} (${say('c.department')})`);
  const named = new Map(playlists.map((p) => [p.id, p.name || p.id]));
  for (const s of schedules) call(`schedule:${s.id}`, s.name || named.get(s.playlist) || s.id);
}
