function D(t,e){let n=t.firstChild;n===null?e&&t.append(e):n.data!==e&&(n.data=e)}function x(t,e){return t.querySelector(e)}var pt=matchMedia("(prefers-reduced-motion: reduce)");var O=new Map;function q(t,e){let n=O.get(t);return n||O.set(t,n=new Intl.NumberFormat("en-IN",e)),n}function z(t){if(t==null||Number.isNaN(t))return"";let e=Math.abs(t);return e>=1e6?q("c",{notation:"compact",maximumFractionDigits:2}).format(t):q(e<10?"q4":"q2",{maximumFractionDigits:e<10?4:e<1e3?2:0}).format(t)}var P=`.ltp {
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
`;var T=globalThis[Symbol.for("ltpkit.stage")]??={waiting:new Set,asked:0,groups:new Map};function j(t){T.waiting.add(t),T.asked||=requestAnimationFrame(()=>{let e=[...T.waiting];T.waiting.clear(),T.asked=0;for(let n of e)try{n()}catch(l){reportError(l)}})}var B=t=>{T.waiting.delete(t)};function G(t,e,n){let l=e.slice(0,e.indexOf("-")),o=T.groups.get(l);o||T.groups.set(l,o={painted:{},told:{},toldAt:0}),o.painted[e]=n;let k=n-(o.told[e]??0),a=o.toldAt+250-Date.now();clearTimeout(o.later),k>=3||a<=0?U(o,t):o.later=setTimeout(()=>U(o,t),a)}function U(t,e){t.told={...t.painted},t.toldAt=Date.now(),e.set("answered",t.told),e.save_changes()}function rt(t){let e=t.match(/[\d.]+/g)?.map(Number);return!e||e.length<3||e.length>3&&e[3]<.5?null:(.2126*e[0]+.7152*e[1]+.0722*e[2])/255}function V(t){let e=t.parentNode;for(;e;){if(e instanceof HTMLElement){let n=rt(getComputedStyle(e).backgroundColor);if(n!==null)return n<.5?"dark":"light"}e=e instanceof ShadowRoot?e.host:e.parentNode}return matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light"}function W(t){let e=matchMedia("(prefers-color-scheme: dark)"),n=new MutationObserver(t);for(let l of[document.documentElement,document.body])n.observe(l,{attributes:!0,attributeFilter:["class","style","data-theme","data-jp-theme-light"]});return e.addEventListener("change",t),()=>{n.disconnect(),e.removeEventListener("change",t)}}function Y(t){let e=getComputedStyle(t),n=l=>e.getPropertyValue(`--ltp-${l}`).trim();return{up:n("up"),down:n("down"),flat:n("flat"),text:n("text"),faint:n("faint"),line:n("line"),back:n("back"),accent:n("accent")}}var ot={f8:Float64Array,f4:Float32Array,i4:Int32Array,u1:Uint8Array},at=new TextDecoder;function F(t){if(!t||t.byteLength===0)return null;let e=t instanceof ArrayBuffer?t:t.buffer.slice(t.byteOffset,t.byteOffset+t.byteLength),n=new DataView(e).getUint32(0,!0),{columns:l,...o}=JSON.parse(at.decode(new Uint8Array(e,4,n))),k={};for(let[a,w,S,y]of l)k[a]=new ot[w](e,4+n+S,y);return{header:o,columns:k}}var st=3500,J=new WeakMap,N=(t,e)=>{let n=document.createElement(t);return n.className=e,n};function Z(t,e,n){function l({model:o,el:k}){let a=N("div",`ltp ltp-${t}`),w=document.createElement("style");w.textContent=P+e;let S=N("div","ltp-head"),y=N("div","ltp-body"),g=N("div","ltp-note");g.setAttribute("role","status"),a.append(w,S,y,g),a.dataset.ltpView=t,a.dataset.lmSuppressShortcuts="true",a.addEventListener("keydown",s=>s.stopPropagation()),k.append(a);let E=null,v={},c=null,r=null,d=Date.now(),b={},h={root:a,body:y,head:S,colours:{},font:"sans-serif",elapsed:()=>Date.now()-d,choose(s,i){let u=Date.now();b[s]={value:i,until:u+2e3},o.set("chosen",{...o.get("chosen"),[s]:[i,u]}),o.save_changes()},chosen(s){let i=b[s];return i&&Date.now()<i.until?i.value:(c??E?.header)?.options[s]}},m=()=>{a.dataset.theme=V(a),h.colours=Y(a),h.font=getComputedStyle(a).fontFamily,r?.restyle?.()},p=()=>{if(!a.isConnected)return;let s=F(v.base),i=F(v.frame);v={};let u=(i??s)?.header.options.palette;if(u&&u!==a.dataset.palette&&(a.dataset.palette=u,m()),r??=n(h),s&&(E=s,r.base?.(s)),!i)return;let{header:f}=i,et=E!==null&&f.epoch===E.header.epoch;c=f,et&&f.seq!==void 0&&(r.frame(i),f.stamp!=null&&(a.dataset.ltpStamp=String(f.stamp)),f.seq!=null&&(a.dataset.ltpSeq=String(f.seq)),f.options.symbol&&(a.dataset.ltpSymbol=f.options.symbol)),a.dataset.ltpState=f.state,a.dataset.ltpFrame=String(f.n),L(),G(o,f.view,f.n)},L=()=>{let s=Date.now()-d,i=s>st&&$();a.toggleAttribute("data-stale",i);let u="";i?u=`No news for ${Math.floor(s/1e3)} s: the kernel was restarted or is held up.`:c?.error?u=c.error:c&&Q[c.state]&&(u=Q[c.state]),g.textContent!==u&&(g.textContent=u),g.classList.toggle("shown",u!==""),g.classList.toggle("bad",!i&&!!c?.error)},A=()=>{v.base=o.get("base"),d=Date.now(),j(p)},H=()=>{v.frame=o.get("frame"),d=Date.now(),j(p)},I=!0,$=()=>I&&!document.hidden,M=J.get(o)??new Set;J.set(o,M);let C=()=>{let s=M.size>0;$()?(M.has(a)||(d=Date.now()),M.add(a)):M.delete(a);let i=M.size>0;(i!==s||o.get("seen")!==i)&&(o.set("seen",i),o.save_changes())},R=new IntersectionObserver(s=>{I=s[s.length-1].isIntersecting,C()}),_=new ResizeObserver(()=>r?.restyle?.());o.on("change:base",A),o.on("change:frame",H),document.addEventListener("visibilitychange",C),R.observe(a),_.observe(a);let X=W(m),tt=setInterval(L,1e3);return m(),A(),H(),C(),()=>{o.off("change:base",A),o.off("change:frame",H),document.removeEventListener("visibilitychange",C),R.disconnect(),_.disconnect(),X(),clearInterval(tt),B(p),r?.destroy?.(),M.delete(a),M.size===0&&(o.set("seen",!1),o.save_changes()),a.remove()}}return{render:l}}var Q={connecting:"Connecting \u2026",stale:"The feed is silent.",backing_off:"The connection is down; trying again.",refused:"The broker refused the connection.",stopped:"The stream is stopped."};var K=`.ltp-controls { max-width: 60rem; min-width: 16rem; overflow: visible; }
.ltp-controls .state { display: inline-flex; align-items: center; gap: .4rem; white-space: nowrap; }
.ltp-controls .state i { width: 9px; height: 9px; border-radius: 50%; background: var(--ltp-flat); flex: none; }
.ltp-controls .state[data-state="live"] i, .ltp-controls .state[data-state="playing"] i { background: var(--ltp-up); }
.ltp-controls .state[data-state="refused"] i { background: var(--ltp-down); }
.ltp-controls .state[data-state="connecting"] i, .ltp-controls .state[data-state="backing_off"] i,
.ltp-controls .state[data-state="stale"] i { background: #d29922; }
.ltp-controls .picker { position: relative; flex: 1 1 11rem; max-width: 20rem; }
.ltp-controls .picker input { width: 100%; }
.ltp-controls .found {
  position: absolute; z-index: 20; left: 0; right: 0; top: calc(100% + 2px); margin: 0; padding: .25rem; list-style: none;
  background: var(--ltp-back); border: 1px solid var(--ltp-line); border-radius: 8px; box-shadow: 0 6px 20px rgb(0 0 0 / .18);
}
.ltp-controls .found[hidden] { display: none; }
.ltp-controls .found li { padding: .25rem .5rem; border-radius: 5px; cursor: pointer; display: flex; gap: .5rem; }
.ltp-controls .found li[aria-selected="true"] { background: var(--ltp-raised); outline: 1px solid var(--ltp-line); }
.ltp-controls .found li small { color: var(--ltp-faint); }
.ltp-controls .chips { display: flex; flex-wrap: wrap; gap: .35rem; padding: .5rem .7rem; max-height: 9.5rem; overflow-y: auto; }
.ltp-controls .chip { display: inline-flex; align-items: center; background: var(--ltp-raised); border: 1px solid var(--ltp-line); border-radius: 14px; padding-left: .6rem; }
.ltp-controls .chip button { border: 0; background: none; min-height: 24px; padding: 0 .5rem; color: var(--ltp-faint); border-radius: 14px; }
.ltp-controls .chip button:hover { color: var(--ltp-down); }
.ltp-controls .chips .none { color: var(--ltp-faint); }
`;var lt=150,ct=new Set(["stopped","refused"]);function dt(t){t.head.innerHTML='<span class="state"><i></i><strong></strong><span class="faint"></span></span><span class="grow"></span><div class="picker"><input type="search" role="combobox" aria-expanded="false" aria-autocomplete="list" placeholder="Subscribe a symbol" aria-label="Symbol to subscribe" spellcheck="false" autocomplete="off"><ul class="found" role="listbox" hidden></ul></div><button class="run"></button><button class="again" title="Leave the broker and connect anew">Reconnect</button>',t.body.innerHTML='<div class="chips"></div>';let e=x(t.head,".state"),n=x(t.head,"input"),l=x(t.head,".found"),o=x(t.head,".run"),k=x(t.head,".again"),a=x(t.body,".chips"),w=[],S=null,y=-1,g=0,E=r=>{r&&(t.choose("subscribe",r),n.value="",c([]))},v=r=>{y=r,[...l.children].forEach((d,b)=>d.setAttribute("aria-selected",String(b===r))),l.children[r]?.scrollIntoView({block:"nearest"})},c=r=>{let d=r.length>0&&n.value.trim()!=="";n.setAttribute("aria-expanded",String(d)),l.hidden=!d,r.join()!==w.join()&&(w=r,l.replaceChildren(...r.map(b=>{let[h,m]=b.split(/:(.*)/),p=document.createElement("li");p.setAttribute("role","option");let L=document.createElement("small");return L.textContent=h,p.append(m,L),p.addEventListener("pointerdown",A=>{A.preventDefault(),E(b)}),p})),v(-1))};return n.addEventListener("input",()=>{clearTimeout(g),g=window.setTimeout(()=>t.choose("find",n.value.trim()),lt),n.value.trim()||c([])}),n.addEventListener("blur",()=>l.hidden=!0),n.addEventListener("keydown",r=>{if(r.stopPropagation(),r.key==="ArrowDown")v(Math.min(y+1,w.length-1));else if(r.key==="ArrowUp")v(Math.max(y-1,-1));else if(r.key==="Enter")E(w[y]??n.value.trim());else if(r.key==="Escape")c([]);else return;r.preventDefault()}),o.addEventListener("click",()=>t.choose(o.dataset.does,!0)),k.addEventListener("click",()=>t.choose("reconnect",!0)),{frame({header:r}){let d=ct.has(r.state);e.dataset.state=r.state,D(x(e,"strong"),r.feed),D(x(e,"span"),`${r.state.replace("_"," ")} \xB7 ${z(Math.round(r.rate))||0} ticks/s`),D(o,d?"Start":"Stop"),o.dataset.does=d?"start":"stop",c(n.value.trim()&&r.options.find?r.found:[]);let b=r.names.join();b!==S&&(S=b,a.replaceChildren(...r.names.map(h=>{let m=document.createElement("span");m.className="chip",m.textContent=h.split(/:(.*)/)[1],m.title=h;let p=document.createElement("button");return p.textContent="\xD7",p.setAttribute("aria-label",`Unsubscribe ${h}`),p.addEventListener("click",()=>t.choose("unsubscribe",h)),m.append(p),m})),r.names.length||(a.innerHTML='<span class="none">Nothing is subscribed yet.</span>'))},destroy:()=>clearTimeout(g)}}var At=Z("controls",K,dt);export{At as default};
