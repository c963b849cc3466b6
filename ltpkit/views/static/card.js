function w(t,e){let n=t.firstChild;n===null?e&&t.append(e):n.data!==e&&(n.data=e)}function b(t,e){return t.querySelector(e)}var pe=matchMedia("(prefers-reduced-motion: reduce)");var _='<svg class="curve" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true"><path class="area"/><path class="line"/></svg>';function O(t,e){let n="",p=0;for(let m=0;m<e.length;m++){if(Number.isNaN(e[m]))continue;let o=e.length>1?100*m/(e.length-1):100;n||(p=o),n+=`${n?"L":"M"}${o.toFixed(1)} ${(22-19*e[m]).toFixed(1)}`}let r=e.length>1&&n!=="";b(t,".line").setAttribute("d",r?n:""),b(t,".area").setAttribute("d",r?`${n}L100 24L${p.toFixed(1)} 24Z`:"")}function q(t){let e=t/1e3;return e<1?"now":e<60?`${Math.floor(e)} s`:e<3600?`${Math.floor(e/60)} min`:e<172800?`${Math.floor(e/3600)} h`:`${Math.floor(e/86400)} d`}var P=`.ltp {
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
`;var M=globalThis[Symbol.for("ltpkit.stage")]??={waiting:new Set,asked:0,groups:new Map};function D(t){M.waiting.add(t),M.asked||=requestAnimationFrame(()=>{let e=[...M.waiting];M.waiting.clear(),M.asked=0;for(let n of e)try{n()}catch(p){reportError(p)}})}var G=t=>{M.waiting.delete(t)};function U(t,e,n){let p=e.slice(0,e.indexOf("-")),r=M.groups.get(p);r||M.groups.set(p,r={painted:{},told:{},toldAt:0}),r.painted[e]=n;let m=n-(r.told[e]??0),o=r.toldAt+250-Date.now();clearTimeout(r.later),m>=3||o<=0?V(r,t):r.later=setTimeout(()=>V(r,t),o)}function V(t,e){t.told={...t.painted},t.toldAt=Date.now(),e.set("answered",t.told),e.save_changes()}function re(t){let e=t.match(/[\d.]+/g)?.map(Number);return!e||e.length<3||e.length>3&&e[3]<.5?null:(.2126*e[0]+.7152*e[1]+.0722*e[2])/255}function B(t){let e=t.parentNode;for(;e;){if(e instanceof HTMLElement){let n=re(getComputedStyle(e).backgroundColor);if(n!==null)return n<.5?"dark":"light"}e=e instanceof ShadowRoot?e.host:e.parentNode}return matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light"}function W(t){let e=matchMedia("(prefers-color-scheme: dark)"),n=new MutationObserver(t);for(let p of[document.documentElement,document.body])n.observe(p,{attributes:!0,attributeFilter:["class","style","data-theme","data-jp-theme-light"]});return e.addEventListener("change",t),()=>{n.disconnect(),e.removeEventListener("change",t)}}function Y(t){let e=getComputedStyle(t),n=p=>e.getPropertyValue(`--ltp-${p}`).trim();return{up:n("up"),down:n("down"),flat:n("flat"),text:n("text"),faint:n("faint"),line:n("line"),back:n("back"),accent:n("accent")}}var oe={f8:Float64Array,f4:Float32Array,i4:Int32Array,u1:Uint8Array},ae=new TextDecoder;function F(t){if(!t||t.byteLength===0)return null;let e=t instanceof ArrayBuffer?t:t.buffer.slice(t.byteOffset,t.byteOffset+t.byteLength),n=new DataView(e).getUint32(0,!0),{columns:p,...r}=JSON.parse(ae.decode(new Uint8Array(e,4,n))),m={};for(let[o,S,y,d]of p)m[o]=new oe[S](e,4+n+y,d);return{header:r,columns:m}}var le=3500,Z=new WeakMap,$=(t,e)=>{let n=document.createElement(t);return n.className=e,n};function Q(t,e,n){function p({model:r,el:m}){let o=$("div",`ltp ltp-${t}`),S=document.createElement("style");S.textContent=P+e;let y=$("div","ltp-head"),d=$("div","ltp-body"),x=$("div","ltp-note");x.setAttribute("role","status"),o.append(S,y,d,x),o.dataset.ltpView=t,o.dataset.lmSuppressShortcuts="true",o.addEventListener("keydown",s=>s.stopPropagation()),m.append(o);let T=null,L={},v=null,l=null,i=Date.now(),a={},f={root:o,body:d,head:y,colours:{},font:"sans-serif",elapsed:()=>Date.now()-i,choose(s,c){let g=Date.now();a[s]={value:c,until:g+2e3},r.set("chosen",{...r.get("chosen"),[s]:[c,g]}),r.save_changes()},chosen(s){let c=a[s];return c&&Date.now()<c.until?c.value:(v??T?.header)?.options[s]}},u=()=>{o.dataset.theme=B(o),f.colours=Y(o),f.font=getComputedStyle(o).fontFamily,l?.restyle?.()},E=()=>{if(!o.isConnected)return;let s=F(L.base),c=F(L.frame);L={};let g=(c??s)?.header.options.palette;if(g&&g!==o.dataset.palette&&(o.dataset.palette=g,u()),l??=n(f),s&&(T=s,l.base?.(s)),!c)return;let{header:h}=c,te=T!==null&&h.epoch===T.header.epoch;v=h,te&&h.seq!==void 0&&(l.frame(c),h.stamp!=null&&(o.dataset.ltpStamp=String(h.stamp)),h.seq!=null&&(o.dataset.ltpSeq=String(h.seq)),h.options.symbol&&(o.dataset.ltpSymbol=h.options.symbol)),o.dataset.ltpState=h.state,o.dataset.ltpFrame=String(h.n),N(),U(r,h.view,h.n)},N=()=>{let s=Date.now()-i,c=s>le&&j();o.toggleAttribute("data-stale",c);let g="";c?g=`No news for ${Math.floor(s/1e3)} s: the kernel was restarted or is held up.`:v?.error?g=v.error:v&&J[v.state]&&(g=J[v.state]),x.textContent!==g&&(x.textContent=g),x.classList.toggle("shown",g!==""),x.classList.toggle("bad",!c&&!!v?.error)},H=()=>{L.base=r.get("base"),i=Date.now(),D(E)},C=()=>{L.frame=r.get("frame"),i=Date.now(),D(E)},I=!0,j=()=>I&&!document.hidden,k=Z.get(r)??new Set;Z.set(r,k);let A=()=>{let s=k.size>0;j()?(k.has(o)||(i=Date.now()),k.add(o)):k.delete(o);let c=k.size>0;(c!==s||r.get("seen")!==c)&&(r.set("seen",c),r.save_changes())},z=new IntersectionObserver(s=>{I=s[s.length-1].isIntersecting,A()}),R=new ResizeObserver(()=>l?.restyle?.());r.on("change:base",H),r.on("change:frame",C),document.addEventListener("visibilitychange",A),z.observe(o),R.observe(o);let X=W(u),ee=setInterval(N,1e3);return u(),H(),C(),A(),()=>{r.off("change:base",H),r.off("change:frame",C),document.removeEventListener("visibilitychange",A),z.disconnect(),R.disconnect(),X(),clearInterval(ee),G(E),l?.destroy?.(),k.delete(o),k.size===0&&(r.set("seen",!1),r.save_changes()),o.remove()}}return{render:p}}var J={connecting:"Connecting \u2026",stale:"The feed is silent.",backing_off:"The connection is down; trying again.",refused:"The broker refused the connection.",stopped:"The stream is stopped."};var K=`.ltp.ltp-card { max-width: 46rem; min-width: 15rem; }
.ltp-card .frame { container-type: inline-size; }
.ltp-card .state { border-radius: 1rem; padding: .05rem .6rem; font-size: 12px; font-weight: 600; color: #fff; background: var(--tone); white-space: nowrap; }
.ltp-card .state { --tone: #57606a; }
.ltp-card .state.good { --tone: #1a7f37; }
.ltp-card .state.waiting { --tone: #9a6700; }
.ltp-card .state.odd { --tone: #bc4c00; }
.ltp-card .state.bad { --tone: #cf222e; }
.ltp-card .symbols { flex: 1 1 10rem; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-size: 12px; }
.ltp-card .name, .ltp-card dt { display: block; font-size: 11px; color: var(--ltp-faint); font-weight: 400; }
.ltp-card .glance { display: grid; grid-template-columns: 2fr 1fr 1fr; }
.ltp-card .glance > div { padding: .55rem .7rem .6rem; min-width: 0; }
.ltp-card .glance > div + div { border-left: 1px solid var(--ltp-line); }
.ltp-card .glance b { font-size: 22px; font-weight: 600; line-height: 1.25; white-space: nowrap; }
.ltp-card .glance .odd b { color: #bc4c00; }
.ltp-card[data-theme="dark"] .glance .odd b { color: #ff9b5c; }
.ltp-card .rate { position: relative; }
.ltp-card .rate .curve { position: absolute; inset: auto .7rem .5rem 6.5rem; width: auto; height: 34px; width: calc(100% - 7.2rem); color: var(--ltp-accent); }
.ltp-card .levels {
  list-style: none; margin: 0; padding: 0; display: grid; grid-auto-flow: column; grid-auto-columns: 1fr;
  border-block: 1px solid var(--ltp-line); background: var(--ltp-raised);
}
.ltp-card .levels li { position: relative; padding: .35rem .7rem .4rem; margin: 0; min-width: 0; }
.ltp-card .levels li + li::before {
  content: ""; position: absolute; left: -4px; top: 50%; width: 7px; height: 7px; transform: translateY(-50%) rotate(45deg);
  border: solid var(--ltp-faint); border-width: 1px 1px 0 0;
}
.ltp-card .levels b { font-weight: 600; }
.ltp-card .levels .behind { margin-left: .4rem; font-size: 11px; color: var(--ltp-faint); white-space: nowrap; }
.ltp-card .levels li + li.all .behind::before { content: "\u2713 "; }
.ltp-card .levels li:first-child { padding-left: .7rem; }
.ltp-card dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(7rem, 1fr)); gap: .45rem 1rem; margin: 0; padding: .55rem .7rem .6rem; }
.ltp-card dl > div { min-width: 0; }
.ltp-card dl > div.small { grid-column: span 2; }
.ltp-card.ltp-card dt, .ltp-card.ltp-card dd { float: none; width: auto; margin: 0; padding: 0; background: none; }
.ltp-card.ltp-card dd { font-size: 14px; font-weight: 600; overflow-wrap: anywhere; }
.ltp-card.ltp-card .small dd { font-size: 12px; font-weight: 400; }
.ltp-card .lost dd { color: #cf222e; }
@container (max-width: 480px) {
  .ltp-card .glance { grid-template-columns: 1fr 1fr; }
  .ltp-card .glance .rate { grid-column: 1 / -1; border-bottom: 1px solid var(--ltp-line); }
  .ltp-card .glance .age { border-left: 0; }
  .ltp-card .levels { grid-auto-flow: row; grid-template-columns: 1fr 1fr; }
  .ltp-card .levels li:nth-child(3)::before { display: none; }
}
`;var se=new Set(["rate","age","gaps","way"]),ce=1e4;function de(t){t.head.innerHTML='<strong></strong><span class="state"></span><span class="symbols faint"></span>',t.body.innerHTML=`<div class="frame"><div class="glance"><div class="rate"><span class="name"></span><b></b>${_}</div><div class="age"><span class="name"></span><b></b></div><div class="gaps"><span class="name"></span><b></b></div></div><ol class="levels" aria-label="How safe the ticks are"></ol><dl></dl></div>`;let[e,n,p]=[...t.head.children],r=b(t.body,".levels"),m=b(t.body,"dl"),o=b(t.body,".curve"),S=new Map(["rate","age","gaps"].map(l=>[l,b(t.body,`.glance .${l}`)])),y=new Map,d=null,x=setInterval(()=>T(),200);function T(){if(!d||d.age==null)return;let l=d.age+t.elapsed(),i=S.get("age");w(b(i,"b"),l<6e4?`${(l/1e3).toFixed(1)} s`:q(l)),i.classList.toggle("odd",l>ce&&d.state==="live")}function L(l){for(;r.children.length<l.length;){let i=document.createElement("li");i.innerHTML='<span class="name"></span><b></b><span class="behind"></span>',r.append(i)}l.forEach((i,a)=>{let f=r.children[a],[u,E,N]=[...f.children];w(u,i.name),w(E,i.reached),w(N,i.behind?`${i.behind.toLocaleString("en-US")} behind`:a?"all":""),f.classList.toggle("all",!i.behind),f.title=i.about})}function v(l){let i=new Set(l.map(a=>a.key));for(let[a,f]of y)i.has(a)||(f.remove(),y.delete(a));for(let a of l){let f=S.get(a.key);if(f&&(w(b(f,".name"),a.name),(a.key!=="age"||d.age==null)&&w(b(f,"b"),a.value),a.key==="gaps"&&f.classList.toggle("odd",a.value!=="0")),se.has(a.key))continue;let u=y.get(a.key);u||(u=document.createElement("div"),u.className=a.key,u.innerHTML="<dt></dt><dd></dd>",y.set(a.key,u),m.append(u)),w(b(u,"dt"),a.name),w(b(u,"dd"),a.value),u.classList.toggle("small",a.small)}}return{frame(l){d=l.header,w(e,d.feed),w(n,`${d.sign} ${d.state.replace("_"," ")}`),n.className=`state ${d.tone}`,w(p,d.symbols),v(d.facts),L(d.levels),T();let i=l.columns.paces.subarray(0,-1),a=Math.max(...i,1);O(o,Array.from(i,f=>f/a))},destroy:()=>clearInterval(x)}}var He=Q("card",K,de);export{He as default};
