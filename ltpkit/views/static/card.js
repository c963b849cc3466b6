function w(t,e){t.textContent!==e&&(t.textContent=e)}function m(t,e){return t.querySelector(e)}var O='<svg class="curve" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true"><path class="area"/><path class="line"/></svg>';function q(t,e){let n="",g=0;for(let h=0;h<e.length;h++){if(Number.isNaN(e[h]))continue;let r=e.length>1?100*h/(e.length-1):100;n||(g=r),n+=`${n?"L":"M"}${r.toFixed(1)} ${(22-19*e[h]).toFixed(1)}`}let o=e.length>1&&n!=="";m(t,".line").setAttribute("d",o?n:""),m(t,".area").setAttribute("d",o?`${n}L100 24L${g.toFixed(1)} 24Z`:"")}function P(t){let e=t/1e3;return e<1?"now":e<60?`${Math.floor(e)} s`:e<3600?`${Math.floor(e/60)} min`:e<172800?`${Math.floor(e/3600)} h`:`${Math.floor(e/86400)} d`}var V=`.ltp {
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
`;function te(t){let e=t.match(/[\d.]+/g)?.map(Number);return!e||e.length<3||e.length>3&&e[3]<.5?null:(.2126*e[0]+.7152*e[1]+.0722*e[2])/255}function U(t){let e=t.parentNode;for(;e;){if(e instanceof HTMLElement){let n=te(getComputedStyle(e).backgroundColor);if(n!==null)return n<.5?"dark":"light"}e=e instanceof ShadowRoot?e.host:e.parentNode}return matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light"}function B(t){let e=matchMedia("(prefers-color-scheme: dark)"),n=new MutationObserver(t);for(let g of[document.documentElement,document.body])n.observe(g,{attributes:!0,attributeFilter:["class","style","data-theme","data-jp-theme-light"]});return e.addEventListener("change",t),()=>{n.disconnect(),e.removeEventListener("change",t)}}function G(t){let e=getComputedStyle(t),n=g=>e.getPropertyValue(`--ltp-${g}`).trim();return{up:n("up"),down:n("down"),flat:n("flat"),text:n("text"),faint:n("faint"),line:n("line"),back:n("back"),accent:n("accent")}}var ne={f8:Float64Array,f4:Float32Array,i4:Int32Array,u1:Uint8Array},re=new TextDecoder;function D(t){if(!t||t.byteLength===0)return null;let e=t instanceof ArrayBuffer?t:t.buffer.slice(t.byteOffset,t.byteOffset+t.byteLength),n=new DataView(e).getUint32(0,!0),{columns:g,...o}=JSON.parse(re.decode(new Uint8Array(e,4,n))),h={};for(let[r,M,y,d]of g)h[r]=new ne[M](e,4+n+y,d);return{header:o,columns:h}}var ae=3500,Y=new WeakMap,$=(t,e)=>{let n=document.createElement(t);return n.className=e,n};function J(t,e,n){function g({model:o,el:h}){let r=$("div",`ltp ltp-${t}`),M=document.createElement("style");M.textContent=V+e;let y=$("div","ltp-head"),d=$("div","ltp-body"),x=$("div","ltp-note");x.setAttribute("role","status"),r.append(M,y,d,x),r.dataset.ltpView=t,r.dataset.lmSuppressShortcuts="true",r.addEventListener("keydown",i=>i.stopPropagation()),h.append(r);let L=null,E=null,S=null,v=null,l=null,s=0,a=Date.now(),p={},f={root:r,body:d,head:y,colours:{},choose(i,c){let u=Date.now();p[i]={value:c,until:u+2e3},o.set("chosen",{...o.get("chosen"),[i]:[c,u]}),o.save_changes()},chosen(i){let c=p[i];return c&&Date.now()<c.until?c.value:(v??L?.header)?.options[i]}},T=()=>{r.dataset.theme=U(r),f.colours=G(r),l?.restyle?.()},F=()=>{if(s=0,!r.isConnected)return;let i=E,c=S;E=S=null;let u=(c??i)?.header.options.palette;if(u&&u!==r.dataset.palette&&(r.dataset.palette=u,T()),l??=n(f),i&&(L=i,l.base?.(i)),!c)return;let{header:b}=c,X=L!==null&&b.epoch===L.header.epoch;v=b,X&&b.seq!==void 0&&(l.frame(c),b.stamp!=null&&(r.dataset.ltpStamp=String(b.stamp)),b.seq!=null&&(r.dataset.ltpSeq=String(b.seq)),b.options.symbol&&(r.dataset.ltpSymbol=b.options.symbol)),r.dataset.ltpState=b.state,r.dataset.ltpFrame=String(b.n),z(),o.set("answered",b.n),o.save_changes()},H=()=>{s||=requestAnimationFrame(F)},z=()=>{let i=Date.now()-a,c=i>ae&&I();r.toggleAttribute("data-stale",c);let u="";c?u=`No news for ${Math.floor(i/1e3)} s: the kernel was restarted or is held up.`:v?.error?u=v.error:v&&Z[v.state]&&(u=Z[v.state]),x.textContent!==u&&(x.textContent=u),x.classList.toggle("shown",u!==""),x.classList.toggle("bad",!c&&!!v?.error)},A=()=>{E=D(o.get("base")),a=Date.now(),H()},C=()=>{S=D(o.get("frame")),a=Date.now(),H()},j=!0,I=()=>j&&!document.hidden,k=Y.get(o)??new Set;Y.set(o,k);let N=()=>{let i=k.size>0;I()?(k.has(r)||(a=Date.now()),k.add(r)):k.delete(r);let c=k.size>0;(c!==i||o.get("seen")!==c)&&(o.set("seen",c),o.save_changes())},_=new IntersectionObserver(i=>{j=i[i.length-1].isIntersecting,N()}),R=new ResizeObserver(()=>l?.restyle?.());o.on("change:base",A),o.on("change:frame",C),document.addEventListener("visibilitychange",N),_.observe(r),R.observe(r);let W=B(T),K=setInterval(z,1e3);return T(),A(),C(),N(),()=>{o.off("change:base",A),o.off("change:frame",C),document.removeEventListener("visibilitychange",N),_.disconnect(),R.disconnect(),W(),clearInterval(K),s&&cancelAnimationFrame(s),l?.destroy?.(),k.delete(r),k.size===0&&(o.set("seen",!1),o.save_changes()),r.remove()}}return{render:g}}var Z={connecting:"Connecting \u2026",stale:"The feed is silent.",backing_off:"The connection is down; trying again.",refused:"The broker refused the connection.",stopped:"The stream is stopped."};var Q=`.ltp.ltp-card { max-width: 46rem; min-width: 15rem; }
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
`;var le=new Set(["rate","age","gaps","way"]),se=1e4;function ie(t){t.head.innerHTML='<strong></strong><span class="state"></span><span class="symbols faint"></span>',t.body.innerHTML=`<div class="frame"><div class="glance"><div class="rate"><span class="name"></span><b></b>${O}</div><div class="age"><span class="name"></span><b></b></div><div class="gaps"><span class="name"></span><b></b></div></div><ol class="levels" aria-label="How safe the ticks are"></ol><dl></dl></div>`;let[e,n,g]=[...t.head.children],o=m(t.body,".levels"),h=m(t.body,"dl"),r=m(t.body,".curve"),M=new Map(["rate","age","gaps"].map(l=>[l,m(t.body,`.glance .${l}`)])),y=new Map,d=null,x=0,L=setInterval(()=>E(),200);function E(){if(!d||d.age==null)return;let l=d.age+Date.now()-x,s=M.get("age");w(m(s,"b"),l<6e4?`${(l/1e3).toFixed(1)} s`:P(l)),s.classList.toggle("odd",l>se&&d.state==="live")}function S(l){for(;o.children.length<l.length;){let s=document.createElement("li");s.innerHTML='<span class="name"></span><b></b><span class="behind"></span>',o.append(s)}l.forEach((s,a)=>{let p=o.children[a],[f,T,F]=[...p.children];w(f,s.name),w(T,s.reached),w(F,s.behind?`${s.behind.toLocaleString("en-US")} behind`:a?"all":""),p.classList.toggle("all",!s.behind),p.title=s.about})}function v(l){let s=new Set(l.map(a=>a.key));for(let[a,p]of y)s.has(a)||(p.remove(),y.delete(a));for(let a of l){let p=M.get(a.key);if(p&&(w(m(p,".name"),a.name),(a.key!=="age"||d.age==null)&&w(m(p,"b"),a.value),a.key==="gaps"&&p.classList.toggle("odd",a.value!=="0")),le.has(a.key))continue;let f=y.get(a.key);f||(f=document.createElement("div"),f.className=a.key,f.innerHTML="<dt></dt><dd></dd>",y.set(a.key,f),h.append(f)),w(m(f,"dt"),a.name),w(m(f,"dd"),a.value),f.classList.toggle("small",a.small)}}return{frame(l){d=l.header,x=Date.now(),w(e,d.feed),w(n,`${d.sign} ${d.state.replace("_"," ")}`),n.className=`state ${d.tone}`,w(g,d.symbols),v(d.facts),S(d.levels),E();let s=l.columns.paces.subarray(0,-1),a=Math.max(...s,1);q(r,Array.from(s,p=>p/a))},destroy:()=>clearInterval(L)}}var Se=J("card",Q,ie);export{Se as default};
