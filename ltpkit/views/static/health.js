var at={minute:{hour:"2-digit",minute:"2-digit"},second:{hour:"2-digit",minute:"2-digit",second:"2-digit"},tenth:{hour:"2-digit",minute:"2-digit",second:"2-digit",fractionalSecondDigits:1},whole:{year:"numeric",month:"numeric",day:"numeric",hour:"numeric",minute:"numeric",second:"numeric"}},q=new Map;function st(t,e){let n=`${t} ${e}`,a=q.get(n);if(!a){let o={...at[e],timeZone:t,hourCycle:"h23"};q.set(n,a=new Intl.DateTimeFormat("en-GB",o))}return a}function _(t,e,n){return st(e,n).format(t)}function z(t,e){let n=t.firstChild;n===null?e&&t.append(e):n.data!==e&&(n.data=e)}function M(t,e){return t.querySelector(e)}var ht=matchMedia("(prefers-reduced-motion: reduce)");var P=new Map;function G(t,e){let n=P.get(t);return n||P.set(t,n=new Intl.NumberFormat("en-IN",e)),n}function B(t){if(t==null||Number.isNaN(t))return"";let e=Math.abs(t);return e>=1e6?G("c",{notation:"compact",maximumFractionDigits:2}).format(t):G(e<10?"q4":"q2",{maximumFractionDigits:e<10?4:e<1e3?2:0}).format(t)}var U=`.ltp {
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
`;var b=globalThis[Symbol.for("ltpkit.stage")]??={waiting:new Set,asked:0,groups:new Map};function F(t){b.waiting.add(t),b.asked||=requestAnimationFrame(()=>{let e=[...b.waiting];b.waiting.clear(),b.asked=0;for(let n of e)try{n()}catch(a){reportError(a)}})}var W=t=>{b.waiting.delete(t)};function J(t,e,n){let a=e.slice(0,e.indexOf("-")),o=b.groups.get(a);o||b.groups.set(a,o={painted:{},told:{},toldAt:0}),o.painted[e]=n;let m=n-(o.told[e]??0),r=o.toldAt+250-Date.now();clearTimeout(o.later),m>=3||r<=0?V(o,t):o.later=setTimeout(()=>V(o,t),r)}function V(t,e){t.told={...t.painted},t.toldAt=Date.now(),e.set("answered",t.told),e.save_changes()}function lt(t){let e=t.match(/[\d.]+/g)?.map(Number);return!e||e.length<3||e.length>3&&e[3]<.5?null:(.2126*e[0]+.7152*e[1]+.0722*e[2])/255}function K(t){let e=t.parentNode;for(;e;){if(e instanceof HTMLElement){let n=lt(getComputedStyle(e).backgroundColor);if(n!==null)return n<.5?"dark":"light"}e=e instanceof ShadowRoot?e.host:e.parentNode}return matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light"}function Y(t){let e=matchMedia("(prefers-color-scheme: dark)"),n=new MutationObserver(t);for(let a of[document.documentElement,document.body])n.observe(a,{attributes:!0,attributeFilter:["class","style","data-theme","data-jp-theme-light"]});return e.addEventListener("change",t),()=>{n.disconnect(),e.removeEventListener("change",t)}}function Z(t){let e=getComputedStyle(t),n=a=>e.getPropertyValue(`--ltp-${a}`).trim();return{up:n("up"),down:n("down"),flat:n("flat"),text:n("text"),faint:n("faint"),line:n("line"),back:n("back"),accent:n("accent")}}var ct={f8:Float64Array,f4:Float32Array,i4:Int32Array,u1:Uint8Array},pt=new TextDecoder;function I(t){if(!t||t.byteLength===0)return null;let e=t instanceof ArrayBuffer?t:t.buffer.slice(t.byteOffset,t.byteOffset+t.byteLength),n=new DataView(e).getUint32(0,!0),{columns:a,...o}=JSON.parse(pt.decode(new Uint8Array(e,4,n))),m={};for(let[r,d,s,f]of a)m[r]=new ct[d](e,4+n+s,f);return{header:o,columns:m}}var dt=3500,Q=new WeakMap,S=(t,e)=>{let n=document.createElement(t);return n.className=e,n};function tt(t,e,n){function a({model:o,el:m}){let r=S("div",`ltp ltp-${t}`),d=document.createElement("style");d.textContent=U+e;let s=S("div","ltp-head"),f=S("div","ltp-body"),u=S("div","ltp-note");u.setAttribute("role","status"),r.append(d,s,f,u),r.dataset.ltpView=t,r.dataset.lmSuppressShortcuts="true",r.addEventListener("keydown",i=>i.stopPropagation()),m.append(r);let w=null,x={},g=null,v=null,k=Date.now(),L={},D={root:r,body:f,head:s,colours:{},font:"sans-serif",elapsed:()=>Date.now()-k,choose(i,l){let c=Date.now();L[i]={value:l,until:c+2e3},o.set("chosen",{...o.get("chosen"),[i]:[l,c]}),o.save_changes()},chosen(i){let l=L[i];return l&&Date.now()<l.until?l.value:(g??w?.header)?.options[i]}},N=()=>{r.dataset.theme=K(r),D.colours=Z(r),D.font=getComputedStyle(r).fontFamily,v?.restyle?.()},C=()=>{if(!r.isConnected)return;let i=I(x.base),l=I(x.frame);x={};let c=(l??i)?.header.options.palette;if(c&&c!==r.dataset.palette&&(r.dataset.palette=c,N()),v??=n(D),i&&(w=i,v.base?.(i)),!l)return;let{header:p}=l,ot=w!==null&&p.epoch===w.header.epoch;g=p,ot&&p.seq!==void 0&&(v.frame(l),p.stamp!=null&&(r.dataset.ltpStamp=String(p.stamp)),p.seq!=null&&(r.dataset.ltpSeq=String(p.seq)),p.options.symbol&&(r.dataset.ltpSymbol=p.options.symbol)),r.dataset.ltpState=p.state,r.dataset.ltpFrame=String(p.n),A(),J(o,p.view,p.n)},A=()=>{let i=Date.now()-k,l=i>dt&&j();r.toggleAttribute("data-stale",l);let c="";l?c=`No news for ${Math.floor(i/1e3)} s: the kernel was restarted or is held up.`:g?.error?c=g.error:g&&X[g.state]&&(c=X[g.state]),u.textContent!==c&&(u.textContent=c),u.classList.toggle("shown",c!==""),u.classList.toggle("bad",!l&&!!g?.error)},E=()=>{x.base=o.get("base"),k=Date.now(),F(C)},$=()=>{x.frame=o.get("frame"),k=Date.now(),F(C)},H=!0,j=()=>H&&!document.hidden,h=Q.get(o)??new Set;Q.set(o,h);let T=()=>{let i=h.size>0;j()?(h.has(r)||(k=Date.now()),h.add(r)):h.delete(r);let l=h.size>0;(l!==i||o.get("seen")!==l)&&(o.set("seen",l),o.save_changes())},O=new IntersectionObserver(i=>{H=i[i.length-1].isIntersecting,T()}),R=new ResizeObserver(()=>v?.restyle?.());o.on("change:base",E),o.on("change:frame",$),document.addEventListener("visibilitychange",T),O.observe(r),R.observe(r);let nt=Y(N),rt=setInterval(A,1e3);return N(),E(),$(),T(),()=>{o.off("change:base",E),o.off("change:frame",$),document.removeEventListener("visibilitychange",T),O.disconnect(),R.disconnect(),nt(),clearInterval(rt),W(C),v?.destroy?.(),h.delete(r),h.size===0&&(o.set("seen",!1),o.save_changes()),r.remove()}}return{render:a}}var X={connecting:"Connecting \u2026",stale:"The feed is silent.",backing_off:"The connection is down; trying again.",refused:"The broker refused the connection.",stopped:"The stream is stopped."};var et=`.ltp-health .checks { list-style: none; margin: 0; padding: .35rem .7rem; display: grid; gap: .15rem; }
.ltp-health .checks:empty { display: none; }
.ltp-health .checks li { display: grid; grid-template-columns: 1.1em 8.2em minmax(0, 1fr); gap: .4em; align-items: baseline; }
.ltp-health .checks b { font-weight: 600; }
.ltp-health .checks span { font-size: 12px; overflow-wrap: anywhere; }
.ltp-health .checks i { font-style: normal; font-size: 11px; }
.ltp-health .ok i { color: var(--ltp-up); }
.ltp-health .degraded i { color: #b7791f; }
.ltp-health .failing i, .ltp-health .failing b { color: var(--ltp-down); }
.ltp-health .gaps { max-height: 150px; overflow-y: auto; border-top: 1px solid var(--ltp-line); font-size: 12px; scrollbar-width: thin; }
.ltp-health .gaps.none { padding: .4rem .7rem; color: var(--ltp-faint); }
.ltp-health .gap { display: grid; grid-template-columns: 5.2em minmax(0, 1fr); gap: 0 .4em; padding: .25rem .7rem; }
.ltp-health .gap + .gap { border-top: 1px solid color-mix(in srgb, var(--ltp-line) 55%, transparent); }
.ltp-health .gap time { grid-row: span 2; color: var(--ltp-faint); }
.ltp-health .gap span { overflow-wrap: anywhere; }
`;var ft={ok:"\u25CF",degraded:"\u25D0",failing:"\u2715"};function y(t,e,n=""){let a=document.createElement(t);return a.className=e,a.textContent=n,a}function mt(t){t.head.innerHTML='<strong>Health</strong><span class="grow"></span><span class="faint count"></span>',t.body.innerHTML='<ul class="checks"></ul><div class="gaps" tabindex="0" role="region" aria-label="Gaps"></div>';let e=M(t.head,".count"),n=M(t.body,".checks"),a=M(t.body,".gaps"),o="",m=r=>{let d=r.symbols??[];return d.length>2?`${d[0]} and ${d.length-1} more`:d.join(", ")};return{frame({header:r}){z(e,r.count===1?"1 gap":`${r.count} gaps`);let d=JSON.stringify([r.checks,r.gaps]);d!==o&&(o=d,n.replaceChildren(...r.checks.map(s=>{let f=y("li",s.status),u=y("i","",ft[s.status]??"?");return u.title=s.status,f.append(u,y("b","",s.name),y("span","faint",s.reason)),f})),a.replaceChildren(...r.gaps.map(s=>{let f=y("div","gap"),u=s.start??s.at,w=s.start!==null&&s.end!==null?`${((s.end-s.start)/1e3).toFixed(1)} s`:"open";return f.append(y("time","",u===null?"":_(u,r.zone,"second")),y("span","",`${s.why} \xB7 ${w}${s.missing===null?"":` \xB7 ${B(s.missing)} missing`}`),y("span","faint",[m(s),s.recovered].filter(Boolean).join(" \xB7 "))),f})),a.classList.toggle("none",r.gaps.length===0),r.gaps.length||(a.textContent="Nothing is known to be missing."))}}}var At=tt("health",et,mt);export{At as default};
