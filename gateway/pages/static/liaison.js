/* What pages do beyond HTML: the zone of the browser, the end of a session, and text that is not sent yet.
   Every page works without it. */
"use strict";

(() => {
  const session = document.getElementById("session");
  const WARN = 120;

  /* Which time zone the browser is in: pages show times in it until the profile names another. */
  try {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    if (zone) document.cookie = `liaison_zone=${zone}; Path=/; SameSite=Strict; Max-Age=31536000${secure}`;
  } catch (error) { /* the default then */ }

  /* On a phone the navigation folds. A menu closes by Escape, and when one goes on elsewhere. */
  const fold = document.getElementById("fold");
  const places = document.getElementById("places");
  if (fold && places) {
    const button = fold.querySelector("button");
    const folded = (is) => {
      places.classList.toggle("is-folded", is);
      button.setAttribute("aria-expanded", String(!is));
    };
    fold.hidden = false;
    folded(true);
    button.addEventListener("click", () => folded(!places.classList.contains("is-folded")));
  }
  const menus = Array.from(document.querySelectorAll("details.menu"));
  const close = (event) => menus.filter((menu) => menu.open && !menu.contains(event.target)).forEach((menu) => { menu.open = false; });
  document.addEventListener("click", close);
  document.addEventListener("focusin", close);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      for (const menu of menus.filter((one) => one.open)) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
    }
    /* A slash goes to the search, as long as nobody is typing. */
    const search = document.getElementById("header-search");
    if (event.key === "/" && search && !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.matches("input, textarea, select, [contenteditable]")) {
      event.preventDefault();
      search.focus();
    }
  });

  /* Fields that find people and organizations answer while one types; what is chosen becomes a box. */
  const addChoice = (chosen, type, name, value, words) => {
    const label = document.createElement("label");
    const box = document.createElement("input");
    label.className = "box";
    Object.assign(box, { type, name, value });
    label.append(box, ` ${words}`);
    chosen.append(label);
    return box;
  };
  document.querySelectorAll("[data-picker]").forEach((group) => {
    const field = group.querySelector("input[name=find]");
    if (!window.accessibleAutocomplete || !field) return;
    const chosen = group.querySelector(".chosen");
    const token = field.form.querySelector("input[name=csrf_token]").value;
    const place = document.createElement("div");
    const single = "single" in group.dataset;
    let found = [];
    let asked = 0;
    const source = async (typed, show) => {
      const turn = ++asked;
      try {
        const answer = await fetch(group.dataset.picker, { method: "POST", headers: { "X-CSRF-Token": token }, body: new URLSearchParams({ find: typed, ...(single ? { single: "yes" } : {}) }) });
        if (!answer.ok || turn !== asked) return;
        found = await answer.json();
        show(found.map((one) => one.name));
      } catch (error) { show([]); }
    };
    const choose = (name) => {
      const one = found.find((other) => other.name === name);
      const input = group.querySelector("input[role=combobox]");
      if (!one) return;
      /* An answer that is still on its way would open the list again. */
      asked += 1;
      const box = chosen.querySelector(`input[value="${one.id}"]`)
        || (single ? addChoice(chosen, "radio", "individual_id", one.id, one.name) : addChoice(chosen, "checkbox", `${one.type}_ids`, one.id, one.name));
      box.checked = true;
      box.dispatchEvent(new Event("input", { bubbles: true }));
      /* The widget writes the name into the field afterwards, and closes its list when the field is left. */
      setTimeout(() => {
        input.value = "";
        input.dispatchEvent(new Event("input", { bubbles: true }));
        input.blur();
        input.focus();
      }, 0);
    };
    field.parentElement.replaceWith(place);
    accessibleAutocomplete({ element: place, id: "find", name: "find", source, onConfirm: choose, confirmOnBlur: false, minLength: 2, tNoResults: () => "No results" });
  });

  /* The end of the session: two minutes before it a warning with a button; other tabs' requests count. */
  if (session) {
    const ENDS = "liaison-session-ends";
    const alert = document.createElement("div");
    const said = document.createElement("p");
    const stay = document.createElement("button");
    let ends = Date.now() + Number(session.dataset.endsIn) * 1000;
    let final = session.dataset.final === "true";
    let shown = "";
    alert.className = "ending";
    alert.setAttribute("role", "alert");
    alert.hidden = true;
    stay.type = "button";
    stay.textContent = "Stay signed in";
    alert.append(said, stay);
    document.body.append(alert);

    const tell = (state, text, button) => {
      if (shown === state) return;
      shown = state;
      alert.hidden = !text;
      said.textContent = text;
      stay.hidden = !button;
    };
    const look = () => {
      const left = (ends - Date.now()) / 1000;
      if (left <= 0) tell("over", "Your session has ended. What you typed stays on this page: when you send it, you sign in first and get it back.", false);
      else if (left <= WARN && final) tell("final", "Your session ends in less than two minutes, because twelve hours are over. Send what you typed, and sign in again.", false);
      else if (left <= WARN) tell("soon", "Your session ends in less than two minutes.", true);
      else tell("", "", false);
    };
    const until = (moment) => {
      ends = moment;
      look();
    };
    stay.addEventListener("click", async () => {
      try {
        const answer = await fetch("/session/stay", { method: "POST", headers: { "X-CSRF-Token": session.dataset.token } });
        if (!answer.ok) throw new Error(String(answer.status));
        const told = await answer.json();
        final = told.final;
        until(Date.now() + told.seconds * 1000);
        session.textContent = `Your session ends at ${told.at}${final ? "." : " unless you open or send something before."}`;
        try { localStorage.setItem(ENDS, String(ends)); } catch (error) { /* this tab alone then */ }
      } catch (error) {
        tell("failed", "You could not be kept signed in. Copy what you typed, load the page again, and sign in.", false);
      }
    });
    try { localStorage.setItem(ENDS, String(ends)); } catch (error) { /* this tab alone then */ }
    addEventListener("storage", (event) => {
      if (event.key === ENDS && Number(event.newValue) > ends) until(Number(event.newValue));
    });
    setInterval(look, 1000);
    look();
  }

  /* Text that is not sent yet: kept in this tab, encrypted under a key that only its user's pages bear, and put back
     when one comes back to the page. Sent text is forgotten as soon as a page says that it was taken. */
  const DRAFT = "liaison-draft ";
  const SENT = "liaison-sent ";
  const here = location.pathname;
  const textOf = (bytes) => btoa(Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join(""));
  const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stored = (prefix) => Object.keys(sessionStorage).filter((name) => name.startsWith(prefix));

  const forms = () => Array.from(document.querySelectorAll("main form[method=post]"));
  const nameOf = (form) => `${here} ${form.getAttribute("action")} ${forms().filter((other) => other.getAttribute("action") === form.getAttribute("action")).indexOf(form)}`;
  const fieldsOf = (form) => Array.from(form.elements).filter((field) => field.name && !["hidden", "password", "file", "submit"].includes(field.type));
  const valueOf = (field) => (["checkbox", "radio"].includes(field.type) ? field.checked : field.value);

  const keep = async (form, key) => {
    const content = fieldsOf(form).map((field) => [field.name, field.type, ["checkbox", "radio"].includes(field.type) ? field.value : "", valueOf(field), field.closest(".chosen") ? field.closest("label").textContent.trim() : ""]);
    const nonce = crypto.getRandomValues(new Uint8Array(12));
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce }, key, new TextEncoder().encode(JSON.stringify(content)));
    sessionStorage.setItem(DRAFT + nameOf(form), `${textOf(nonce)} ${textOf(sealed)}`);
  };
  /* While the gateway's key is being replaced, what was kept under the former one still opens. */
  const opened = async ([first, ...others], nonce, sealed) => {
    try {
      return await crypto.subtle.decrypt({ name: "AES-GCM", iv: nonce }, first, sealed);
    } catch (error) {
      if (!others.length) throw error;
      return opened(others, nonce, sealed);
    }
  };
  const putBack = async (form, keys) => {
    const name = nameOf(form);
    const text = sessionStorage.getItem(DRAFT + name) || sessionStorage.getItem(SENT + name);
    if (!text) return;
    let content;
    try {
      const [nonce, sealed] = text.split(" ").map(bytesOf);
      content = JSON.parse(new TextDecoder().decode(await opened(keys, nonce, sealed)));
    } catch (error) {
      /* Somebody else's: it is no longer kept. */
      sessionStorage.removeItem(DRAFT + name);
      sessionStorage.removeItem(SENT + name);
      return;
    }
    const left = fieldsOf(form);
    for (const [name_, type, value, typed, words] of content) {
      let at = left.findIndex((field) => field.name === name_ && field.type === type && (typeof typed !== "boolean" || field.value === value));
      const chosen = form.querySelector(".chosen");
      if (at < 0 && words && typed && chosen) at = left.push(addChoice(chosen, type, name_, value, words)) - 1;
      if (at < 0) continue;
      const [field] = left.splice(at, 1);
      if (valueOf(field) === typed) continue;
      if (typeof typed === "boolean") field.checked = typed;
      else field.value = typed;
      for (let around = field.closest("details"); around; around = around.parentElement.closest("details")) around.open = true;
    }
  };
  const forget = (prefix) => stored(prefix).forEach((name) => sessionStorage.removeItem(name));

  const drafts = async () => {
    if (!session || !session.dataset.key || !window.crypto || !crypto.subtle) return;
    const keys = await Promise.all(session.dataset.key.split(" ").map((text) => crypto.subtle.importKey("raw", bytesOf(text), "AES-GCM", false, ["encrypt", "decrypt"])));
    const [how] = performance.getEntriesByType("navigation");
    const comesBack = how && ["back_forward", "reload"].includes(how.type);
    if (comesBack) for (const form of forms()) await putBack(form, keys);
    /* A page that is not about a refusal says that what was sent before it was taken. */
    else if (!document.body.hasAttribute("data-unsaved")) forget(SENT);
    const waiting = new Map();
    document.addEventListener("input", (event) => {
      const form = event.target.form;
      if (!form || !forms().includes(form)) return;
      clearTimeout(waiting.get(form));
      document.documentElement.dataset.drafts = "typing";
      waiting.set(form, setTimeout(async () => {
        await keep(form, keys[0]);
        document.documentElement.dataset.drafts = "kept";
      }, 250));
    });
    document.addEventListener("submit", (event) => {
      if (!forms().includes(event.target)) return;
      clearTimeout(waiting.get(event.target));
      const name = nameOf(event.target);
      const text = sessionStorage.getItem(DRAFT + name);
      if (text) sessionStorage.setItem(SENT + name, text);
      sessionStorage.removeItem(DRAFT + name);
    });
    document.documentElement.dataset.drafts = "ready";
  };
  const out = document.querySelector("form.out");
  if (out) out.addEventListener("submit", () => { forget(DRAFT); forget(SENT); });
  drafts().catch(() => { /* no drafts then */ });

  /* A page that the browser had put aside whole may be of a session that is over. */
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
})();
