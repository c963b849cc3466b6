var R=`.ltp {
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
@keyframes ltp-flash-up { from { background: color-mix(in srgb, var(--ltp-up) 35%, transparent); } }
@keyframes ltp-flash-down { from { background: color-mix(in srgb, var(--ltp-down) 35%, transparent); } }
.ltp .flash-up { animation: ltp-flash-up .7s ease-out; }
.ltp .flash-down { animation: ltp-flash-down .7s ease-out; }
@media (prefers-reduced-motion: reduce) {
  .ltp *, .ltp *::before { animation: none !important; transition: none !important; }
}
`;function J(e){let t=e.match(/[\d.]+/g)?.map(Number);return!t||t.length<3||t.length>3&&t[3]<.5?null:(.2126*t[0]+.7152*t[1]+.0722*t[2])/255}function $(e){let t=e.parentNode;for(;t;){if(t instanceof HTMLElement){let r=J(getComputedStyle(t).backgroundColor);if(r!==null)return r<.5?"dark":"light"}t=t instanceof ShadowRoot?t.host:t.parentNode}return matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light"}function q(e){let t=matchMedia("(prefers-color-scheme: dark)"),r=new MutationObserver(e);for(let c of[document.documentElement,document.body])r.observe(c,{attributes:!0,attributeFilter:["class","style","data-theme","data-jp-theme-light"]});return t.addEventListener("change",e),()=>{r.disconnect(),t.removeEventListener("change",e)}}function B(e){let t=getComputedStyle(e),r=c=>t.getPropertyValue(`--ltp-${c}`).trim();return{up:r("up"),down:r("down"),flat:r("flat"),text:r("text"),faint:r("faint"),line:r("line"),back:r("back"),accent:r("accent")}}var Q={f8:Float64Array,f4:Float32Array,i4:Int32Array,u1:Uint8Array},K=new TextDecoder;function O(e){if(!e||e.byteLength===0)return null;let t=e instanceof ArrayBuffer?e:e.buffer.slice(e.byteOffset,e.byteOffset+e.byteLength),r=new DataView(t).getUint32(0,!0),{columns:c,...n}=JSON.parse(K.decode(new Uint8Array(t,4,r))),v={};for(let[a,T,m,x]of c)v[a]=new Q[T](t,4+r+m,x);return{header:n,columns:v}}var X=3500,_=new WeakMap,N=(e,t)=>{let r=document.createElement(e);return r.className=t,r};function U(e,t,r){function c({model:n,el:v}){let a=N("div",`ltp ltp-${e}`),T=document.createElement("style");T.textContent=R+t;let m=N("div","ltp-head"),x=N("div","ltp-body"),h=N("div","ltp-note");h.setAttribute("role","status"),a.append(T,m,x,h),a.dataset.ltpView=e,a.dataset.lmSuppressShortcuts="true",a.addEventListener("keydown",o=>o.stopPropagation()),v.append(a);let k=null,d=null,C=null,b=null,u=null,w=0,E=Date.now(),D={},H={root:a,body:x,head:m,colours:{},choose(o,s){let p=Date.now();D[o]={value:s,until:p+2e3},n.set("chosen",{...n.get("chosen"),[o]:[s,p]}),n.save_changes()},chosen(o){let s=D[o];return s&&Date.now()<s.until?s.value:(b??k?.header)?.options[o]}},A=()=>{a.dataset.theme=$(a),H.colours=B(a),u?.restyle?.()},l=()=>{if(w=0,!a.isConnected)return;let o=d,s=C;d=C=null;let p=(s??o)?.header.options.palette;if(p&&p!==a.dataset.palette&&(a.dataset.palette=p,A()),u??=r(H),o&&(k=o,u.base?.(o)),!s)return;let{header:g}=s,W=k!==null&&g.epoch===k.header.epoch;b=g,W&&g.seq!==void 0&&(u.frame(s),g.stamp!=null&&(a.dataset.ltpStamp=String(g.stamp)),g.seq!=null&&(a.dataset.ltpSeq=String(g.seq)),g.options.symbol&&(a.dataset.ltpSymbol=g.options.symbol)),a.dataset.ltpState=g.state,a.dataset.ltpFrame=String(g.n),M(),n.set("answered",g.n),n.save_changes()},f=()=>{w||=requestAnimationFrame(l)},M=()=>{let o=Date.now()-E,s=o>X&&z();a.toggleAttribute("data-stale",s);let p="";s?p=`No news for ${Math.floor(o/1e3)} s: the kernel was restarted or is held up.`:b?.error?p=b.error:b&&I[b.state]&&(p=I[b.state]),h.textContent!==p&&(h.textContent=p),h.classList.toggle("shown",p!==""),h.classList.toggle("bad",!s&&!!b?.error)},y=()=>{d=O(n.get("base")),E=Date.now(),f()},L=()=>{C=O(n.get("frame")),E=Date.now(),f()},j=!0,z=()=>j&&!document.hidden,i=_.get(n)??new Set;_.set(n,i);let S=()=>{let o=i.size>0;z()?(i.has(a)||(E=Date.now()),i.add(a)):i.delete(a);let s=i.size>0;(s!==o||n.get("seen")!==s)&&(n.set("seen",s),n.save_changes())},F=new IntersectionObserver(o=>{j=o[o.length-1].isIntersecting,S()}),P=new ResizeObserver(()=>u?.restyle?.());n.on("change:base",y),n.on("change:frame",L),document.addEventListener("visibilitychange",S),F.observe(a),P.observe(a);let Y=q(A),G=setInterval(M,1e3);return A(),y(),L(),S(),()=>{n.off("change:base",y),n.off("change:frame",L),document.removeEventListener("visibilitychange",S),F.disconnect(),P.disconnect(),Y(),clearInterval(G),w&&cancelAnimationFrame(w),u?.destroy?.(),i.delete(a),i.size===0&&(n.set("seen",!1),n.save_changes()),a.remove()}}return{render:c}}var I={connecting:"Connecting \u2026",stale:"The feed is silent.",backing_off:"The connection is down; trying again.",refused:"The broker refused the connection.",stopped:"The stream is stopped."};var V=`.ltp-player { max-width: 60rem; min-width: 16rem; }
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
`;var te='<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3 1.5v13l11-6.5z"/></svg>',ne='<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3 2h4v12H3zM9 2h4v12H9z"/></svg>',ae=80;function re(e){e.body.innerHTML='<div class="bar"><button class="play" aria-label="Play"></button><select class="speed" aria-label="Speed"></select><div class="track"><canvas aria-hidden="true"></canvas><input type="range" step="any" aria-label="Time"></div><div class="when"><span></span><small></small></div></div>';let t=l=>e.root.querySelector(l),r=t(".play"),c=t(".speed"),n=t("input"),v=t("canvas"),a=t(".when span"),T=t(".when small"),m=null,x="UTC",h=0,k=1,d={position:0,playing:!1,speed:1,heard:0},C=!1,b=0,u=0,w=0,E=()=>{let l=d.playing?(Date.now()-d.heard)*d.speed:0;return Math.min(d.position+l,k)},D=()=>{w=0,C||(n.value=String(E()));let l=new Date(Number(n.value));a.textContent=l.toLocaleTimeString("en-GB",{timeZone:x,hour:"2-digit",minute:"2-digit",second:"2-digit",fractionalSecondDigits:1,hour12:!1}),T.textContent=l.toLocaleDateString("en-GB",{timeZone:x,weekday:"short",day:"numeric",month:"short",year:"numeric"})+` \xB7 ${x}`,n.setAttribute("aria-valuetext",`${a.textContent} ${T.textContent}`),H(),d.playing&&e.root.isConnected&&(w=requestAnimationFrame(D))},H=()=>{let l=v.clientWidth,f=v.clientHeight;if(!m||!l)return;let M=devicePixelRatio||1;v.width=l*M,v.height=f*M;let y=v.getContext("2d");y.scale(M,M);let L=1;for(let i of m)L=Math.max(L,i);let j=(Number(n.value)-h)/(k-h)*l,z=l/m.length;for(let i=0;i<m.length;i++){let S=i*z,F=Math.sqrt(m[i]/L)*(f-4);y.globalAlpha=S<j?.75:.28,y.fillStyle=S<j?e.colours.accent:e.colours.faint,y.fillRect(S,f-F,Math.max(z-.5,.5),F)}},A=()=>{u=0,b=Date.now(),e.choose("position",Number(n.value))};return r.addEventListener("click",()=>e.choose("playing",!e.chosen("playing"))),c.addEventListener("change",()=>e.choose("speed",Number(c.value))),n.addEventListener("input",()=>{C=!0,D(),u||(u=window.setTimeout(A,Math.max(0,ae-(Date.now()-b))))}),n.addEventListener("change",()=>{clearTimeout(u),A(),d={...d,position:Number(n.value),heard:Date.now()},C=!1}),{base({header:l,columns:f}){({start:h,end:k,zone:x}=l),m=f.activity,n.min=String(h),n.max=String(k);let M=l.speeds.map(y=>new Option(`${y}\xD7`,String(y)));c.replaceChildren(...M)},frame({header:l}){let f=!!e.chosen("playing");d={position:l.position,playing:f,speed:l.options.speed,heard:Date.now()},c.value=String(e.chosen("speed")),r.innerHTML=f?ne:te,r.setAttribute("aria-label",f?"Hold":"Play"),w||D()},restyle:H,destroy(){w&&cancelAnimationFrame(w),clearTimeout(u)}}}var me=U("player",V,re);export{me as default};
