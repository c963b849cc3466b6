// A player's controls: play and hold, speed, and a slider through time over how busy it was.

import { mount, type Drawing, type Page } from "./lib/mount";
import type { Column } from "./lib/wire";
import style from "./player.css";

const PLAY = '<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3 1.5v13l11-6.5z"/></svg>';
const HOLD = '<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3 2h4v12H3zM9 2h4v12H9z"/></svg>';
const SEND_MS = 80; // between two places while the slider is dragged

function draw(page: Page): Drawing {
  page.body.innerHTML =
    '<div class="bar"><button class="play" aria-label="Play"></button><select class="speed" aria-label="Speed"></select>' +
    '<div class="track"><canvas aria-hidden="true"></canvas><input type="range" step="any" aria-label="Time"></div>' +
    '<div class="when"><span></span><small></small></div></div>';
  const find = <T extends HTMLElement>(what: string) => page.root.querySelector<T>(what)!;
  const play = find<HTMLButtonElement>(".play");
  const speed = find<HTMLSelectElement>(".speed");
  const slider = find<HTMLInputElement>("input");
  const canvas = find<HTMLCanvasElement>("canvas");
  const time = find(".when span");
  const day = find(".when small");

  let activity: Column | null = null;
  let zone = "UTC";
  let start = 0;
  let end = 1;
  let at = { position: 0, playing: false, speed: 1, heard: 0 };
  let dragging = false;
  let sentAt = 0;
  let later = 0;
  let ticking = 0;

  const position = () => {
    const passed = at.playing ? (Date.now() - at.heard) * at.speed : 0;
    return Math.min(at.position + passed, end);
  };

  const show = () => {
    ticking = 0;
    if (!dragging) slider.value = String(position());
    const when = new Date(Number(slider.value));
    time.textContent = when.toLocaleTimeString("en-GB", {
      timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 1, hour12: false,
    });
    day.textContent = when.toLocaleDateString("en-GB", { timeZone: zone, weekday: "short", day: "numeric", month: "short", year: "numeric" }) + ` · ${zone}`;
    slider.setAttribute("aria-valuetext", `${time.textContent} ${day.textContent}`);
    paint();
    if (at.playing && page.root.isConnected) ticking = requestAnimationFrame(show);
  };

  const paint = () => {
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    if (!activity || !width) return;
    const ratio = devicePixelRatio || 1;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const context = canvas.getContext("2d")!;
    context.scale(ratio, ratio);
    let most = 1;
    for (const n of activity) most = Math.max(most, n);
    const done = ((Number(slider.value) - start) / (end - start)) * width;
    const step = width / activity.length;
    for (let i = 0; i < activity.length; i++) {
      const x = i * step;
      const tall = Math.sqrt(activity[i] / most) * (height - 4);
      context.globalAlpha = x < done ? 0.75 : 0.28;
      context.fillStyle = x < done ? page.colours.accent : page.colours.faint;
      context.fillRect(x, height - tall, Math.max(step - 0.5, 0.5), tall);
    }
  };

  const send = () => {
    later = 0;
    sentAt = Date.now();
    page.choose("position", Number(slider.value));
  };

  play.addEventListener("click", () => page.choose("playing", !page.chosen("playing")));
  speed.addEventListener("change", () => page.choose("speed", Number(speed.value)));
  slider.addEventListener("input", () => {
    dragging = true;
    show();
    if (!later) later = window.setTimeout(send, Math.max(0, SEND_MS - (Date.now() - sentAt)));
  });
  slider.addEventListener("change", () => {
    clearTimeout(later);
    send();
    at = { ...at, position: Number(slider.value), heard: Date.now() };
    dragging = false;
  });

  return {
    base({ header, columns }) {
      ({ start, end, zone } = header as any);
      activity = columns.activity;
      slider.min = String(start);
      slider.max = String(end);
      const options = (header.speeds as number[]).map((n) => new Option(`${n}×`, String(n)));
      speed.replaceChildren(...options);
    },
    frame({ header }) {
      const playing = !!page.chosen("playing");
      at = { position: header.position, playing, speed: header.options.speed, heard: Date.now() };
      speed.value = String(page.chosen("speed"));
      play.innerHTML = playing ? HOLD : PLAY;
      play.setAttribute("aria-label", playing ? "Hold" : "Play");
      if (!ticking) show();
    },
    restyle: paint,
    destroy() {
      if (ticking) cancelAnimationFrame(ticking);
      clearTimeout(later);
    },
  };
}

export default mount("player", style, draw);
