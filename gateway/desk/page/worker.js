// The service worker: without a network the phone page opens empty and says so. No alert and no answer is ever kept.
const CACHE = `shell ${VERSION}`;
const SHELL = KEPT[0];

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(KEPT)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const old = (names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name)));
  event.waitUntil(caches.keys().then(old).then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.mode === "navigate" && url.pathname === "/") {
    event.respondWith(fetch(event.request).catch(() => caches.match(SHELL)));
  } else if (KEPT.includes(url.pathname) && url.pathname !== SHELL) {
    event.respondWith(caches.match(event.request).then((kept) => kept || fetch(event.request)));
  }
});

self.addEventListener("push", (event) => {
  const told = event.data ? event.data.json() : {};
  const shown = { body: told.body || "", tag: told.tag, requireInteraction: true, renotify: Boolean(told.tag), data: told };
  event.waitUntil(self.registration.showNotification(told.title || "!", shown));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const path = `/${(event.notification.data || {}).path || ""}`;
  event.waitUntil(self.clients.matchAll({ type: "window" }).then((pages) => {
    const page = pages.find((each) => "focus" in each);
    return page ? page.navigate(path).then((each) => each.focus()) : self.clients.openWindow(path);
  }));
});
