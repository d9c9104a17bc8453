// Signing in: by name and password, or by a link that works once and then asks
// for a password. The link's code is sent only when its button is pressed, so
// that a programme that looks at links does not use it up.
const words = JSON.parse(document.body.dataset.words);
const said = document.getElementById("said");
const forms = { signin: document.getElementById("signin"), link: document.getElementById("link"), set: document.getElementById("set") };
const code = new URLSearchParams(location.search).get("code");

function show(name) {
  for (const [k, f] of Object.entries(forms)) f.hidden = k !== name;
  forms[name].querySelector("input:not([hidden]), button").focus();
}

async function send(method, path, body) {
  try {
    return await fetch(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  } catch {
    return { ok: false, status: 0, json: async () => ({}) };
  }
}

function say(answer, otherwise) {
  said.textContent = { 0: words.failed, 429: words.signin_busy }[answer.status] ?? otherwise;
}

forms.signin.addEventListener("submit", async (e) => {
  e.preventDefault();
  const f = new FormData(forms.signin);
  const answer = await send("POST", "/api/v1/session", { user: f.get("user"), password: f.get("password") });
  if (answer.ok) location.assign("/?lang=" + document.documentElement.lang);
  else say(answer, words.signin_wrong);
});

forms.link.addEventListener("submit", async (e) => {
  e.preventDefault();
  const answer = await send("POST", "/api/v1/session/code", { code });
  if (!answer.ok) {
    say(answer, words.link_used);
    show("signin");
    return;
  }
  const me = await answer.json();
  forms.set.elements.user.value = me.id.replace("user:", "");
  history.replaceState(null, "", "/signin");
  said.textContent = "";
  show("set");
});

forms.set.addEventListener("submit", async (e) => {
  e.preventDefault();
  const f = new FormData(forms.set);
  const answer = await send("PUT", "/api/v1/me/password", { password: f.get("password") });
  if (!answer.ok) {
    say(answer, words.password_bad);
    return;
  }
  // A new password ends every session; this one begins again with it.
  const again = await send("POST", "/api/v1/session", { user: f.get("user"), password: f.get("password") });
  if (again.ok) location.assign("/?lang=" + document.documentElement.lang);
  else {
    said.textContent = words.password_set;
    show("signin");
  }
});

show(code ? "link" : "signin");
