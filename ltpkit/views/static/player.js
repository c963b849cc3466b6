var P=`.ltp {
  --ltp-up: #0a8f5b; --ltp-down: #d03b44; --ltp-flat: #7d8590; --ltp-accent: #2f6feb;
  --ltp-back: var(--jp-layout-color1, #ffffff); --ltp-raised: var(--jp-layout-color2, #f4f5f7);
  --ltp-text: var(--jp-ui-font-color1, #1c2128); --ltp-faint: var(--jp-ui-font-color2, #636c76);
  --ltp-line: var(--jp-border-color2, #d9dee4);
  box-sizing: border-box; position: relative; max-width: 100%;
  background: var(--ltp-back); color: var(--ltp-text);
  border: 1px solid var(--ltp-line); border-radius: 8px; overflow: hidden;
  font: 13px/1.4 var(--jp-ui-font-family, system-ui, -apple-system, "Segoe UI", sans-serif);
  font-variant-numeric: tabular-nums; text-align: left;
}
.ltp[data-theme="dark"] {
  --ltp-up: #2fbf83; --ltp-down: #f2555f; --ltp-flat: #8b949e; --ltp-accent: #6ea1ff;
  --ltp-back: var(--jp-layout-color1, #14171c); --ltp-raised: var(--jp-layout-color2, #1d2128);
  --ltp-text: var(--jp-ui-font-color1, #e6e9ee); --ltp-faint: var(--jp-ui-font-color2, #98a2ad);
  --ltp-line: var(--jp-border-color2, #2c323a);
}
.ltp[data-palette="safe"] { --ltp-up: #1f77d0; --ltp-down: #d1740a; }
.ltp[data-palette="safe"][data-theme="dark"] { --ltp-up: #57a8ff; --ltp-down: #ffa23e; }
.ltp *, .ltp *::before { box-sizing: border-box; }
.ltp .up { color: var(--ltp-up); }
.ltp .down { color: var(--ltp-down); }
.ltp .faint { color: var(--ltp-faint); }
.ltp-head {
  display: flex; flex-wrap: wrap; align-items: center; gap: .35rem .75rem;
  padding: .45rem .7rem; border-bottom: 1px solid var(--ltp-line);
}
.ltp-head strong { font-size: 14px; letter-spacing: .01em; }
.ltp-head .grow { flex: 1; }
.ltp select, .ltp button, .ltp input {
  font: inherit; color: inherit; background: var(--ltp-raised); border: 1px solid var(--ltp-line);
  border-radius: 6px; padding: .1rem .45rem; min-height: 26px; margin: 0; cursor: pointer; max-width: 100%;
}
.ltp input { cursor: text; }
.ltp button[aria-pressed="true"] { background: var(--ltp-accent); border-color: var(--ltp-accent); color: #fff; }
.ltp:where([data-theme="dark"]) button[aria-pressed="true"] { color: #10151d; }
.ltp :focus-visible { outline: 2px solid var(--ltp-accent); outline-offset: 1px; }
.ltp-note {
  display: none; padding: .3rem .7rem; font-size: 12px; border-top: 1px solid var(--ltp-line);
  color: var(--ltp-faint); background: var(--ltp-raised); overflow-wrap: anywhere;
}
.ltp-note.shown { display: block; }
.ltp-note.bad { color: var(--ltp-down); }
.ltp .ltp-body { transition: filter .3s, opacity .3s; }
.ltp[data-stale] .ltp-body { filter: grayscale(1); opacity: .55; }
.ltp .curve { display: block; width: 100%; height: 100%; color: var(--ltp-flat); }
.ltp .curve.up { color: var(--ltp-up); }
.ltp .curve.down { color: var(--ltp-down); }
.ltp .curve .line { fill: none; stroke: currentColor; stroke-width: 1.4; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.ltp .curve .area { fill: currentColor; opacity: .13; }
@media (prefers-reduced-motion: reduce) {
  .ltp *, .ltp *::before { animation: none !important; transition: none !important; }
}
/* A reader's own colours replace ours, except where the colour itself is what is told. */
@media (forced-colors: active) {
  .ltp .qty i, .ltp .totals span, .ltp .track, .ltp .track i, .ltp .legend i, .ltp .legend u, .ltp .curve { forced-color-adjust: none; }
  .ltp .track { background: GrayText; }
  .ltp .track i { background: CanvasText; }
  .ltp button[aria-pressed="true"] { forced-color-adjust: none; background: Highlight; color: HighlightText; border-color: Highlight; }
  .ltp .row[aria-selected="true"] { outline: 2px solid Highlight; outline-offset: -2px; }
}
`;var C=globalThis[Symbol.for("ltpkit.stage")]??={waiting:new Set,asked:0,groups:new Map};function F(e){C.waiting.add(e),C.asked||=requestAnimationFrame(()=>{let t=[...C.waiting];C.waiting.clear(),C.asked=0;for(let r of t)try{r()}catch(s){reportError(s)}})}var $=e=>{C.waiting.delete(e)};function q(e,t,r){let s=t.slice(0,t.indexOf("-")),n=C.groups.get(s);n||C.groups.set(s,n={painted:{},told:{},toldAt:0}),n.painted[t]=r;let f=r-(n.told[t]??0),o=n.toldAt+250-Date.now();clearTimeout(n.later),f>=3||o<=0?_(n,e):n.later=setTimeout(()=>_(n,e),o)}function _(e,t){e.told={...e.painted},e.toldAt=Date.now(),t.set("answered",e.told),t.save_changes()}function K(e){let t=e.match(/[\d.]+/g)?.map(Number);return!t||t.length<3||t.length>3&&t[3]<.5?null:(.2126*t[0]+.7152*t[1]+.0722*t[2])/255}function B(e){let t=e.parentNode;for(;t;){if(t instanceof HTMLElement){let r=K(getComputedStyle(t).backgroundColor);if(r!==null)return r<.5?"dark":"light"}t=t instanceof ShadowRoot?t.host:t.parentNode}return matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light"}function U(e){let t=matchMedia("(prefers-color-scheme: dark)"),r=new MutationObserver(e);for(let s of[document.documentElement,document.body])r.observe(s,{attributes:!0,attributeFilter:["class","style","data-theme","data-jp-theme-light"]});return t.addEventListener("change",e),()=>{r.disconnect(),t.removeEventListener("change",e)}}function G(e){let t=getComputedStyle(e),r=s=>t.getPropertyValue(`--ltp-${s}`).trim();return{up:r("up"),down:r("down"),flat:r("flat"),text:r("text"),faint:r("faint"),line:r("line"),back:r("back"),accent:r("accent")}}var X={f8:Float64Array,f4:Float32Array,i4:Int32Array,u1:Uint8Array},ee=new TextDecoder;function I(e){if(!e||e.byteLength===0)return null;let t=e instanceof ArrayBuffer?e:e.buffer.slice(e.byteOffset,e.byteOffset+e.byteLength),r=new DataView(t).getUint32(0,!0),{columns:s,...n}=JSON.parse(ee.decode(new Uint8Array(t,4,r))),f={};for(let[o,L,h,w]of s)f[o]=new X[L](t,4+r+h,w);return{header:n,columns:f}}var te=3500,V=new WeakMap,N=(e,t)=>{let r=document.createElement(e);return r.className=t,r};function Y(e,t,r){function s({model:n,el:f}){let o=N("div",`ltp ltp-${e}`),L=document.createElement("style");L.textContent=P+t;let h=N("div","ltp-head"),w=N("div","ltp-body"),b=N("div","ltp-note");b.setAttribute("role","status"),o.append(L,h,w,b),o.dataset.ltpView=e,o.dataset.lmSuppressShortcuts="true",o.addEventListener("keydown",i=>i.stopPropagation()),f.append(o);let x=null,c={},g=null,k=null,y=Date.now(),T={},H={root:o,body:w,head:h,colours:{},font:"sans-serif",elapsed:()=>Date.now()-y,choose(i,l){let d=Date.now();T[i]={value:l,until:d+2e3},n.set("chosen",{...n.get("chosen"),[i]:[l,d]}),n.save_changes()},chosen(i){let l=T[i];return l&&Date.now()<l.until?l.value:(g??x?.header)?.options[i]}},E=()=>{o.dataset.theme=B(o),H.colours=G(o),H.font=getComputedStyle(o).fontFamily,k?.restyle?.()},D=()=>{if(!o.isConnected)return;let i=I(c.base),l=I(c.frame);c={};let d=(l??i)?.header.options.palette;if(d&&d!==o.dataset.palette&&(o.dataset.palette=d,E()),k??=r(H),i&&(x=i,k.base?.(i)),!l)return;let{header:u}=l,J=x!==null&&u.epoch===x.header.epoch;g=u,J&&u.seq!==void 0&&(k.frame(l),u.stamp!=null&&(o.dataset.ltpStamp=String(u.stamp)),u.seq!=null&&(o.dataset.ltpSeq=String(u.seq)),u.options.symbol&&(o.dataset.ltpSymbol=u.options.symbol)),o.dataset.ltpState=u.state,o.dataset.ltpFrame=String(u.n),j(),q(n,u.view,u.n)},j=()=>{let i=Date.now()-y,l=i>te&&v();o.toggleAttribute("data-stale",l);let d="";l?d=`No news for ${Math.floor(i/1e3)} s: the kernel was restarted or is held up.`:g?.error?d=g.error:g&&W[g.state]&&(d=W[g.state]),b.textContent!==d&&(b.textContent=d),b.classList.toggle("shown",d!==""),b.classList.toggle("bad",!l&&!!g?.error)},a=()=>{c.base=n.get("base"),y=Date.now(),F(D)},p=()=>{c.frame=n.get("frame"),y=Date.now(),F(D)},M=!0,v=()=>M&&!document.hidden,m=V.get(n)??new Set;V.set(n,m);let A=()=>{let i=m.size>0;v()?(m.has(o)||(y=Date.now()),m.add(o)):m.delete(o);let l=m.size>0;(l!==i||n.get("seen")!==l)&&(n.set("seen",l),n.save_changes())},R=new IntersectionObserver(i=>{M=i[i.length-1].isIntersecting,A()}),S=new ResizeObserver(()=>k?.restyle?.());n.on("change:base",a),n.on("change:frame",p),document.addEventListener("visibilitychange",A),R.observe(o),S.observe(o);let z=U(E),O=setInterval(j,1e3);return E(),a(),p(),A(),()=>{n.off("change:base",a),n.off("change:frame",p),document.removeEventListener("visibilitychange",A),R.disconnect(),S.disconnect(),z(),clearInterval(O),$(D),k?.destroy?.(),m.delete(o),m.size===0&&(n.set("seen",!1),n.save_changes()),o.remove()}}return{render:s}}var W={connecting:"Connecting \u2026",stale:"The feed is silent.",backing_off:"The connection is down; trying again.",refused:"The broker refused the connection.",stopped:"The stream is stopped."};var Z=`.ltp-player { max-width: 60rem; min-width: 16rem; }
.ltp-player .ltp-head { display: none; }
.ltp-player .bar { display: flex; align-items: center; gap: .6rem; padding: .5rem .7rem; flex-wrap: wrap; }
.ltp-player .play { width: 34px; height: 30px; padding: 0; display: grid; place-items: center; flex: none; }
.ltp-player .play svg { width: 14px; height: 14px; fill: currentColor; }
.ltp-player .track { position: relative; flex: 1 1 12rem; height: 34px; }
.ltp-player canvas { position: absolute; inset: 0; width: 100%; height: 100%; border-radius: 4px; background: var(--ltp-raised); }
.ltp-player .track input {
  position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; padding: 0; border: 0;
  appearance: none; background: transparent; cursor: pointer;
}
.ltp-player .track input::-webkit-slider-thumb {
  appearance: none; width: 4px; height: 34px; border-radius: 2px; background: var(--ltp-accent); border: 0;
  box-shadow: 0 0 0 2px var(--ltp-back);
}
.ltp-player .track input::-moz-range-thumb { width: 4px; height: 34px; border-radius: 2px; background: var(--ltp-accent); border: 0; }
.ltp-player .when { min-width: 10.5rem; text-align: right; white-space: nowrap; }
.ltp-player .when small { color: var(--ltp-faint); display: block; font-size: 11px; line-height: 1.2; }
@container (max-width: 480px) { .ltp-player .when { flex: 1; text-align: left; } .ltp-player .track { order: 3; flex-basis: 100%; } }
.ltp-player .ltp-body { container-type: inline-size; }
`;var oe='<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3 1.5v13l11-6.5z"/></svg>',re='<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3 2h4v12H3zM9 2h4v12H9z"/></svg>',ae=80;function ie(e){e.body.innerHTML='<div class="bar"><button class="play" aria-label="Play"></button><select class="speed" aria-label="Speed"></select><div class="track"><canvas aria-hidden="true"></canvas><input type="range" step="any" aria-label="Time"></div><div class="when"><span></span><small></small></div></div>';let t=a=>e.root.querySelector(a),r=t(".play"),s=t(".speed"),n=t("input"),f=t("canvas"),o=t(".when span"),L=t(".when small"),h=null,w="UTC",b=0,x=1,c={position:0,playing:!1,speed:1,heard:0},g=!1,k=0,y=0,T=0,H=()=>{let a=c.playing?(Date.now()-c.heard)*c.speed:0;return Math.min(c.position+a,x)},E=()=>{T=0,g||(n.value=String(H()));let a=new Date(Number(n.value));o.textContent=a.toLocaleTimeString("en-GB",{timeZone:w,hour:"2-digit",minute:"2-digit",second:"2-digit",fractionalSecondDigits:1,hour12:!1}),L.textContent=a.toLocaleDateString("en-GB",{timeZone:w,weekday:"short",day:"numeric",month:"short",year:"numeric"})+` \xB7 ${w}`,n.setAttribute("aria-valuetext",`${o.textContent} ${L.textContent}`),D(),c.playing&&e.root.isConnected&&(T=requestAnimationFrame(E))},D=()=>{let a=f.clientWidth,p=f.clientHeight;if(!h||!a)return;let M=devicePixelRatio||1;f.width=a*M,f.height=p*M;let v=f.getContext("2d");v.scale(M,M);let m=1;for(let S of h)m=Math.max(m,S);let A=(Number(n.value)-b)/(x-b)*a,R=a/h.length;for(let S=0;S<h.length;S++){let z=S*R,O=Math.sqrt(h[S]/m)*(p-4);v.globalAlpha=z<A?.75:.28,v.fillStyle=z<A?e.colours.accent:e.colours.faint,v.fillRect(z,p-O,Math.max(R-.5,.5),O)}},j=()=>{y=0,k=Date.now(),e.choose("position",Number(n.value))};return r.addEventListener("click",()=>e.choose("playing",!e.chosen("playing"))),s.addEventListener("change",()=>e.choose("speed",Number(s.value))),n.addEventListener("input",()=>{g=!0,E(),y||(y=window.setTimeout(j,Math.max(0,ae-(Date.now()-k))))}),n.addEventListener("change",()=>{clearTimeout(y),j(),c={...c,position:Number(n.value),heard:Date.now()},g=!1}),{base({header:a,columns:p}){({start:b,end:x,zone:w}=a),h=p.activity,n.min=String(b),n.max=String(x);let M=a.speeds.map(v=>new Option(`${v}\xD7`,String(v)));s.replaceChildren(...M)},frame({header:a}){let p=!!e.chosen("playing");c={position:a.position,playing:p,speed:a.options.speed,heard:Date.now()},s.value=String(e.chosen("speed")),r.innerHTML=p?re:oe,r.setAttribute("aria-label",p?"Hold":"Play"),T||E()},restyle:D,destroy(){T&&cancelAnimationFrame(T),clearTimeout(y)}}}var ve=Y("player",Z,ie);export{ve as default};
