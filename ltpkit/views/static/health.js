var rt={minute:{hour:"2-digit",minute:"2-digit"},second:{hour:"2-digit",minute:"2-digit",second:"2-digit"},tenth:{hour:"2-digit",minute:"2-digit",second:"2-digit",fractionalSecondDigits:1},whole:{year:"numeric",month:"numeric",day:"numeric",hour:"numeric",minute:"numeric",second:"numeric"}},z=new Map;function ot(t,e){let r=`${t} ${e}`,i=z.get(r);if(!i){let o={...rt[e],timeZone:t,hourCycle:"h23"};z.set(r,i=new Intl.DateTimeFormat("en-GB",o))}return i}function P(t,e,r){return ot(e,r).format(t)}function R(t,e){t.textContent!==e&&(t.textContent=e)}function M(t,e){return t.querySelector(e)}var _=new Map;function B(t,e){let r=_.get(t);return r||_.set(t,r=new Intl.NumberFormat("en-IN",e)),r}function U(t){if(t==null||Number.isNaN(t))return"";let e=Math.abs(t);return e>=1e6?B("c",{notation:"compact",maximumFractionDigits:2}).format(t):B(e<10?"q4":"q2",{maximumFractionDigits:e<10?4:e<1e3?2:0}).format(t)}var G=`.ltp {
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
`;function st(t){let e=t.match(/[\d.]+/g)?.map(Number);return!e||e.length<3||e.length>3&&e[3]<.5?null:(.2126*e[0]+.7152*e[1]+.0722*e[2])/255}function V(t){let e=t.parentNode;for(;e;){if(e instanceof HTMLElement){let r=st(getComputedStyle(e).backgroundColor);if(r!==null)return r<.5?"dark":"light"}e=e instanceof ShadowRoot?e.host:e.parentNode}return matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light"}function J(t){let e=matchMedia("(prefers-color-scheme: dark)"),r=new MutationObserver(t);for(let i of[document.documentElement,document.body])r.observe(i,{attributes:!0,attributeFilter:["class","style","data-theme","data-jp-theme-light"]});return e.addEventListener("change",t),()=>{r.disconnect(),e.removeEventListener("change",t)}}function K(t){let e=getComputedStyle(t),r=i=>e.getPropertyValue(`--ltp-${i}`).trim();return{up:r("up"),down:r("down"),flat:r("flat"),text:r("text"),faint:r("faint"),line:r("line"),back:r("back"),accent:r("accent")}}var it={f8:Float64Array,f4:Float32Array,i4:Int32Array,u1:Uint8Array},lt=new TextDecoder;function $(t){if(!t||t.byteLength===0)return null;let e=t instanceof ArrayBuffer?t:t.buffer.slice(t.byteOffset,t.byteOffset+t.byteLength),r=new DataView(e).getUint32(0,!0),{columns:i,...o}=JSON.parse(lt.decode(new Uint8Array(e,4,r))),b={};for(let[n,p,a,f]of i)b[n]=new it[p](e,4+r+a,f);return{header:o,columns:b}}var ct=3500,Y=new WeakMap,T=(t,e)=>{let r=document.createElement(t);return r.className=e,r};function Q(t,e,r){function i({model:o,el:b}){let n=T("div",`ltp ltp-${t}`),p=document.createElement("style");p.textContent=G+e;let a=T("div","ltp-head"),f=T("div","ltp-body"),u=T("div","ltp-note");u.setAttribute("role","status"),n.append(p,a,f,u),n.dataset.ltpView=t,n.dataset.lmSuppressShortcuts="true",n.addEventListener("keydown",s=>s.stopPropagation()),b.append(n);let y=null,S=null,N=null,m=null,w=null,x=0,v=Date.now(),F={},L={root:n,body:f,head:a,colours:{},choose(s,l){let c=Date.now();F[s]={value:l,until:c+2e3},o.set("chosen",{...o.get("chosen"),[s]:[l,c]}),o.save_changes()},chosen(s){let l=F[s];return l&&Date.now()<l.until?l.value:(m??y?.header)?.options[s]}},D=()=>{n.dataset.theme=V(n),L.colours=K(n),w?.restyle?.()},X=()=>{if(x=0,!n.isConnected)return;let s=S,l=N;S=N=null;let c=(l??s)?.header.options.palette;if(c&&c!==n.dataset.palette&&(n.dataset.palette=c,D()),w??=r(L),s&&(y=s,w.base?.(s)),!l)return;let{header:d}=l,nt=y!==null&&d.epoch===y.header.epoch;m=d,nt&&d.seq!==void 0&&(w.frame(l),d.stamp!=null&&(n.dataset.ltpStamp=String(d.stamp)),d.seq!=null&&(n.dataset.ltpSeq=String(d.seq)),d.options.symbol&&(n.dataset.ltpSymbol=d.options.symbol)),n.dataset.ltpState=d.state,n.dataset.ltpFrame=String(d.n),j(),o.set("answered",d.n),o.save_changes()},I=()=>{x||=requestAnimationFrame(X)},j=()=>{let s=Date.now()-v,l=s>ct&&H();n.toggleAttribute("data-stale",l);let c="";l?c=`No news for ${Math.floor(s/1e3)} s: the kernel was restarted or is held up.`:m?.error?c=m.error:m&&Z[m.state]&&(c=Z[m.state]),u.textContent!==c&&(u.textContent=c),u.classList.toggle("shown",c!==""),u.classList.toggle("bad",!l&&!!m?.error)},C=()=>{S=$(o.get("base")),v=Date.now(),I()},E=()=>{N=$(o.get("frame")),v=Date.now(),I()},A=!0,H=()=>A&&!document.hidden,g=Y.get(o)??new Set;Y.set(o,g);let k=()=>{let s=g.size>0;H()?(g.has(n)||(v=Date.now()),g.add(n)):g.delete(n);let l=g.size>0;(l!==s||o.get("seen")!==l)&&(o.set("seen",l),o.save_changes())},O=new IntersectionObserver(s=>{A=s[s.length-1].isIntersecting,k()}),q=new ResizeObserver(()=>w?.restyle?.());o.on("change:base",C),o.on("change:frame",E),document.addEventListener("visibilitychange",k),O.observe(n),q.observe(n);let tt=J(D),et=setInterval(j,1e3);return D(),C(),E(),k(),()=>{o.off("change:base",C),o.off("change:frame",E),document.removeEventListener("visibilitychange",k),O.disconnect(),q.disconnect(),tt(),clearInterval(et),x&&cancelAnimationFrame(x),w?.destroy?.(),g.delete(n),g.size===0&&(o.set("seen",!1),o.save_changes()),n.remove()}}return{render:i}}var Z={connecting:"Connecting \u2026",stale:"The feed is silent.",backing_off:"The connection is down; trying again.",refused:"The broker refused the connection.",stopped:"The stream is stopped."};var W=`.ltp-health .checks { list-style: none; margin: 0; padding: .35rem .7rem; display: grid; gap: .15rem; }
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
`;var ut={ok:"\u25CF",degraded:"\u25D0",failing:"\u2715"};function h(t,e,r=""){let i=document.createElement(t);return i.className=e,i.textContent=r,i}function dt(t){t.head.innerHTML='<strong>Health</strong><span class="grow"></span><span class="faint count"></span>',t.body.innerHTML='<ul class="checks"></ul><div class="gaps" tabindex="0" role="region" aria-label="Gaps"></div>';let e=M(t.head,".count"),r=M(t.body,".checks"),i=M(t.body,".gaps"),o="",b=n=>{let p=n.symbols??[];return p.length>2?`${p[0]} and ${p.length-1} more`:p.join(", ")};return{frame({header:n}){R(e,n.count===1?"1 gap":`${n.count} gaps`);let p=JSON.stringify([n.checks,n.gaps]);p!==o&&(o=p,r.replaceChildren(...n.checks.map(a=>{let f=h("li",a.status),u=h("i","",ut[a.status]??"?");return u.title=a.status,f.append(u,h("b","",a.name),h("span","faint",a.reason)),f})),i.replaceChildren(...n.gaps.map(a=>{let f=h("div","gap"),u=a.start??a.at,y=a.start!==null&&a.end!==null?`${((a.end-a.start)/1e3).toFixed(1)} s`:"open";return f.append(h("time","",u===null?"":P(u,n.zone,"second")),h("span","",`${a.why} \xB7 ${y}${a.missing===null?"":` \xB7 ${U(a.missing)} missing`}`),h("span","faint",[b(a),a.recovered].filter(Boolean).join(" \xB7 "))),f})),i.classList.toggle("none",n.gaps.length===0),n.gaps.length||(i.textContent="Nothing is known to be missing."))}}}var Et=Q("health",W,dt);export{Et as default};
