function M(t,n){let a=t.firstChild;a===null?n&&t.append(n):a.data!==n&&(a.data=n)}function h(t,n){return t.querySelector(n)}var je=matchMedia("(prefers-reduced-motion: reduce)"),pe=()=>je.matches;var ue='<svg class="curve" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true"><path class="area"/><path class="line"/></svg>';function me(t,n){let a="",g=0;for(let x=0;x<n.length;x++){if(Number.isNaN(n[x]))continue;let s=n.length>1?100*x/(n.length-1):100;a||(g=s),a+=`${a?"L":"M"}${s.toFixed(1)} ${(22-19*n[x]).toFixed(1)}`}let l=n.length>1&&a!=="";h(t,".line").setAttribute("d",l?a:""),h(t,".area").setAttribute("d",l?`${a}L100 24L${g.toFixed(1)} 24Z`:"")}var fe=700,U=5,Q=class{lit=new Map;later;light(n,a){a&&!pe()&&this.lit.set(n,{way:a,since:Date.now(),step:-1})}drop(n){this.lit.delete(n)&&(n.style.background="")}fade(){let n=Date.now();for(let[a,g]of this.lit){let l=Math.min(U,Math.floor(U*(n-g.since)/fe));if(l===g.step)continue;g.step=l;let x=38*(1-l/U);a.style.background=l<U?`color-mix(in srgb, var(--ltp-${g.way}) ${x}%, transparent)`:"",l===U&&this.lit.delete(a)}clearTimeout(this.later),this.lit.size&&(this.later=setTimeout(()=>this.fade(),1.5*fe/U))}end(){clearTimeout(this.later)}};var ge=new Map;function oe(t,n){let a=ge.get(t);return a||ge.set(t,a=new Intl.NumberFormat("en-IN",n)),a}function Y(t,n=2){return t==null||Number.isNaN(t)?"\u2013":oe(`p${n}`,{minimumFractionDigits:n,maximumFractionDigits:n}).format(t)}function be(t){if(t==null||Number.isNaN(t))return"";let n=Math.abs(t);return n>=1e6?oe("c",{notation:"compact",maximumFractionDigits:2}).format(t):oe(n<10?"q4":"q2",{maximumFractionDigits:n<10?4:n<1e3?2:0}).format(t)}function ae(t,n=2,a=""){return t==null||Number.isNaN(t)?"\u2013":`${t>0?"+":t<0?"\u2212":""}${Y(Math.abs(t),n)}${a}`}function K(t){return t==null||Number.isNaN(t)||t===0?"":t>0?"up":"down"}function he(t){let n=t/1e3;return n<1?"now":n<60?`${Math.floor(n)} s`:n<3600?`${Math.floor(n/60)} min`:n<172800?`${Math.floor(n/3600)} h`:`${Math.floor(n/86400)} d`}function we(t,n){return t==null?"\u2013":new Date(t).toLocaleTimeString("en-GB",{timeZone:n,hour12:!1})}var ye=`.ltp {
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
`;var z=globalThis[Symbol.for("ltpkit.stage")]??={waiting:new Set,asked:0,groups:new Map};function se(t){z.waiting.add(t),z.asked||=requestAnimationFrame(()=>{let n=[...z.waiting];z.waiting.clear(),z.asked=0;for(let a of n)try{a()}catch(g){reportError(g)}})}var xe=t=>{z.waiting.delete(t)};function ke(t,n,a){let g=n.slice(0,n.indexOf("-")),l=z.groups.get(g);l||z.groups.set(g,l={painted:{},told:{},toldAt:0}),l.painted[n]=a;let x=a-(l.told[n]??0),s=l.toldAt+250-Date.now();clearTimeout(l.later),x>=3||s<=0?ve(l,t):l.later=setTimeout(()=>ve(l,t),s)}function ve(t,n){t.told={...t.painted},t.toldAt=Date.now(),n.set("answered",t.told),n.save_changes()}function Pe(t){let n=t.match(/[\d.]+/g)?.map(Number);return!n||n.length<3||n.length>3&&n[3]<.5?null:(.2126*n[0]+.7152*n[1]+.0722*n[2])/255}function Me(t){let n=t.parentNode;for(;n;){if(n instanceof HTMLElement){let a=Pe(getComputedStyle(n).backgroundColor);if(a!==null)return a<.5?"dark":"light"}n=n instanceof ShadowRoot?n.host:n.parentNode}return matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light"}function Te(t){let n=matchMedia("(prefers-color-scheme: dark)"),a=new MutationObserver(t);for(let g of[document.documentElement,document.body])a.observe(g,{attributes:!0,attributeFilter:["class","style","data-theme","data-jp-theme-light"]});return n.addEventListener("change",t),()=>{a.disconnect(),n.removeEventListener("change",t)}}function Ne(t){let n=getComputedStyle(t),a=g=>n.getPropertyValue(`--ltp-${g}`).trim();return{up:a("up"),down:a("down"),flat:a("flat"),text:a("text"),faint:a("faint"),line:a("line"),back:a("back"),accent:a("accent")}}var Ve={f8:Float64Array,f4:Float32Array,i4:Int32Array,u1:Uint8Array},qe=new TextDecoder;function ie(t){if(!t||t.byteLength===0)return null;let n=t instanceof ArrayBuffer?t:t.buffer.slice(t.byteOffset,t.byteOffset+t.byteLength),a=new DataView(n).getUint32(0,!0),{columns:g,...l}=JSON.parse(qe.decode(new Uint8Array(n,4,a))),x={};for(let[s,C,F,I]of g)x[s]=new Ve[C](n,4+a+F,I);return{header:l,columns:x}}var Ge=3500,Ee=new WeakMap,X=(t,n)=>{let a=document.createElement(t);return a.className=n,a};function Le(t,n,a){function g({model:l,el:x}){let s=X("div",`ltp ltp-${t}`),C=document.createElement("style");C.textContent=ye+n;let F=X("div","ltp-head"),I=X("div","ltp-body"),R=X("div","ltp-note");R.setAttribute("role","status"),s.append(C,F,I,R),s.dataset.ltpView=t,s.dataset.lmSuppressShortcuts="true",s.addEventListener("keydown",y=>y.stopPropagation()),x.append(s);let u=null,O={},A=null,L=null,E=Date.now(),j={},w={root:s,body:I,head:F,colours:{},font:"sans-serif",elapsed:()=>Date.now()-E,choose(y,b){let T=Date.now();j[y]={value:b,until:T+2e3},l.set("chosen",{...l.get("chosen"),[y]:[b,T]}),l.save_changes()},chosen(y){let b=j[y];return b&&Date.now()<b.until?b.value:(A??u?.header)?.options[y]}},P=()=>{s.dataset.theme=Me(s),w.colours=Ne(s),w.font=getComputedStyle(s).fontFamily,L?.restyle?.()},q=()=>{if(!s.isConnected)return;let y=ie(O.base),b=ie(O.frame);O={};let T=(b??y)?.header.options.palette;if(T&&T!==s.dataset.palette&&(s.dataset.palette=T,P()),L??=a(w),y&&(u=y,L.base?.(y)),!b)return;let{header:k}=b,ne=u!==null&&k.epoch===u.header.epoch;A=k,ne&&k.seq!==void 0&&(L.frame(b),k.stamp!=null&&(s.dataset.ltpStamp=String(k.stamp)),k.seq!=null&&(s.dataset.ltpSeq=String(k.seq)),k.options.symbol&&(s.dataset.ltpSymbol=k.options.symbol)),s.dataset.ltpState=k.state,s.dataset.ltpFrame=String(k.n),V(),ke(l,k.view,k.n)},V=()=>{let y=Date.now()-E,b=y>Ge&&J();s.toggleAttribute("data-stale",b);let T="";b?T=`No news for ${Math.floor(y/1e3)} s: the kernel was restarted or is held up.`:A?.error?T=A.error:A&&Se[A.state]&&(T=Se[A.state]),R.textContent!==T&&(R.textContent=T),R.classList.toggle("shown",T!==""),R.classList.toggle("bad",!b&&!!A?.error)},_=()=>{O.base=l.get("base"),E=Date.now(),se(q)},S=()=>{O.frame=l.get("frame"),E=Date.now(),se(q)},G=!0,J=()=>G&&!document.hidden,D=Ee.get(l)??new Set;Ee.set(l,D);let H=()=>{let y=D.size>0;J()?(D.has(s)||(E=Date.now()),D.add(s)):D.delete(s);let b=D.size>0;(b!==y||l.get("seen")!==b)&&(l.set("seen",b),l.save_changes())},Z=new IntersectionObserver(y=>{G=y[y.length-1].isIntersecting,H()}),W=new ResizeObserver(()=>L?.restyle?.());l.on("change:base",_),l.on("change:frame",S),document.addEventListener("visibilitychange",H),Z.observe(s),W.observe(s);let ee=Te(P),te=setInterval(V,1e3);return P(),_(),S(),H(),()=>{l.off("change:base",_),l.off("change:frame",S),document.removeEventListener("visibilitychange",H),Z.disconnect(),W.disconnect(),ee(),clearInterval(te),xe(q),L?.destroy?.(),D.delete(s),D.size===0&&(l.set("seen",!1),l.save_changes()),s.remove()}}return{render:g}}var Se={connecting:"Connecting \u2026",stale:"The feed is silent.",backing_off:"The connection is down; trying again.",refused:"The broker refused the connection.",stopped:"The stream is stopped."};var Ae=`.ltp.ltp-board { --row: 30px; min-width: 15rem; }
.ltp-board .frame { container-type: inline-size; }
.ltp-board .filter { width: 9rem; }
.ltp-board .add { display: flex; gap: .35rem; margin: 0; }
.ltp-board .add[hidden] { display: none; }
.ltp-board .add input { width: 8.5rem; flex: 1; }
@media (max-width: 480px) {
  .ltp-board .add { flex: 1; min-width: 9rem; }
}
.ltp-board .pane { overflow-y: auto; overflow-x: hidden; scrollbar-width: thin; scrollbar-gutter: stable; outline-offset: -2px; }
.ltp-board .sheet { position: relative; }
.ltp-board .titles, .ltp-board .row {
  display: grid; align-items: center; column-gap: .25rem; padding-inline: .7rem .3rem;
  grid-template-columns:
    [symbol] minmax(7rem, 1.4fr) [ltp] 6rem [change] 4.4rem [changep] 4.6rem [day] 5rem [dayp] 4.4rem
    [range] minmax(11rem, 2fr) [recent] minmax(5rem, 1fr) [volume] 4.8rem [age] 4rem [drop] 1.6rem;
}
.ltp-board .row > *, .ltp-board .titles > * { grid-row: 1; min-width: 0; }
.ltp-board .c-symbol { grid-column: symbol; }
.ltp-board .c-ltp { grid-column: ltp; }
.ltp-board .c-change { grid-column: change; }
.ltp-board .c-change_percent { grid-column: changep; }
.ltp-board .c-day_change { grid-column: day; }
.ltp-board .c-day_change_percent { grid-column: dayp; }
.ltp-board .c-range { grid-column: range; }
.ltp-board .c-recent { grid-column: recent; }
.ltp-board .c-volume { grid-column: volume; }
.ltp-board .c-age { grid-column: age; }
.ltp-board .c-drop { grid-column: drop; }

.ltp-board .titles {
  position: sticky; top: 0; z-index: 1; background: var(--ltp-back); color: var(--ltp-faint); font-size: 11px;
  border-bottom: 1px solid var(--ltp-line); padding-block: .2rem; grid-template-rows: 15px 20px;
}
.ltp-board .titles > * { grid-row: 2; text-align: right; }
.ltp-board .titles .group { grid-row: 1; white-space: nowrap; text-align: center; border-bottom: 1px solid var(--ltp-line); margin-left: .6rem; line-height: 14px; }
.ltp-board .group.tick { grid-column: change / day; }
.ltp-board .group.day { grid-column: day / range; }
.ltp-board .titles button {
  border: 0; background: none; padding: 0; min-height: 20px; font-size: 11px; color: inherit; white-space: nowrap; border-radius: 3px;
}
.ltp-board .titles button:hover { color: var(--ltp-text); }
.ltp-board .titles i { font-style: normal; font-size: 8px; margin-left: .2em; color: var(--ltp-accent); }
.ltp-board .titles i:empty { margin: 0; }
.ltp-board [aria-sort="ascending"] button, .ltp-board [aria-sort="descending"] button { color: var(--ltp-text); font-weight: 600; }
.ltp-board .titles .c-symbol { text-align: left; }
.ltp-board .titles .c-range, .ltp-board .titles .c-recent { text-align: center; }

.ltp-board .row {
  position: absolute; inset-inline: 0; height: var(--row); cursor: pointer; white-space: nowrap;
  border-bottom: 1px solid color-mix(in srgb, var(--ltp-line) 55%, transparent); transition: transform .25s ease; contain: strict;
}
.ltp-board .row.moved { transition: none; }
.ltp-board .row:hover { background: var(--ltp-raised); }
.ltp-board .row[aria-selected="true"] { background: color-mix(in srgb, var(--ltp-accent) 13%, transparent); box-shadow: inset 3px 0 0 var(--ltp-accent); }
.ltp-board .row > * { text-align: right; overflow: hidden; }
.ltp-board .row .c-symbol { display: flex; align-items: baseline; gap: .4rem; text-align: left; }
.ltp-board .c-symbol b { font-weight: 600; overflow: hidden; text-overflow: ellipsis; }
.ltp-board .c-symbol i { font-style: normal; font-size: 10px; color: var(--ltp-faint); }
.ltp-board .row .c-ltp b { font-weight: 600; padding: .1rem .3rem; border-radius: 4px; margin-right: -.3rem; }
.ltp-board .row .c-volume, .ltp-board .row .c-age { color: var(--ltp-faint); font-size: 12px; }
.ltp-board .row .c-change, .ltp-board .row .c-change_percent { font-size: 12px; }
.ltp-board .row .c-day_change_percent { font-weight: 600; }

.ltp-board .row .c-range { display: flex; align-items: center; gap: .4rem; padding-left: 1rem; font-size: 11px; color: var(--ltp-faint); }
.ltp-board .c-range .low, .ltp-board .c-range .high { flex: 1 0 3.4rem; }
.ltp-board .c-range .high { text-align: left; }
.ltp-board .track { position: relative; flex: 3 1 4rem; height: 4px; border-radius: 2px; background: color-mix(in srgb, var(--ltp-faint) 30%, transparent); }
.ltp-board .track.none { visibility: hidden; }
.ltp-board .track i { position: absolute; top: 50%; transform: translate(-50%, -50%); }
.ltp-board .track .open { width: 2px; height: 8px; background: var(--ltp-faint); }
.ltp-board .track .mark { width: 8px; height: 8px; border-radius: 50%; background: var(--ltp-text); box-shadow: 0 0 0 2px var(--ltp-back); }
.ltp-board .row .c-range, .ltp-board .row .c-ltp { overflow: visible; }

.ltp-board .row .c-recent { height: 100%; padding: 3px 0 3px .8rem; }
.ltp-board .drop { border: 0; background: none; padding: 0 .3rem; min-height: 22px; color: var(--ltp-faint); opacity: 0; font-size: 15px; }
.ltp-board .drop:hover { color: var(--ltp-down); }
.ltp-board .row:hover .drop, .ltp-board .row[aria-selected="true"] .drop { opacity: 1; }
.ltp-board .empty { padding: 2rem 1rem; text-align: center; color: var(--ltp-faint); }
.ltp-board [hidden] { display: none; }

@container (max-width: 960px) {
  .ltp-board .titles, .ltp-board .row {
    grid-template-columns:
      [symbol] minmax(6.5rem, 1.4fr) [ltp] 6rem [change] 4.2rem [changep] 4.4rem [day] 4.8rem [dayp] 4.4rem
      [range] minmax(5rem, 1.2fr) [recent] minmax(5rem, 1fr) [volume] 0 [age] 3.8rem [drop] 1.6rem;
  }
  .ltp-board.ltp-board .c-volume, .ltp-board.ltp-board .c-range .low, .ltp-board.ltp-board .c-range .high { display: none; }
}
@container (max-width: 720px) {
  .ltp-board .titles, .ltp-board .row {
    grid-template-columns:
      [symbol] minmax(6rem, 1.4fr) [ltp] 5.6rem [change] 4.4rem [changep] 0 [day] 0 [dayp] 5.6rem
      [range] 0 [recent] minmax(4rem, 1fr) [volume] 0 [age] 3.6rem [drop] 1.6rem;
  }
  .ltp-board.ltp-board .c-change_percent, .ltp-board.ltp-board .c-day_change, .ltp-board.ltp-board .c-range { display: none; }
  .ltp-board .titles .group { margin-left: 0; font-size: 10px; border: 0; text-align: right; }
  .ltp-board .titles .group span { display: none; }
}
@container (max-width: 560px) {
  .ltp-board .titles, .ltp-board .row {
    grid-template-columns:
      [symbol] minmax(6rem, 1.6fr) [ltp] 5.4rem [change] 4.6rem [changep] 0 [day] 0 [dayp] 5rem
      [range] 0 [recent] minmax(4rem, 1fr) [volume] 0 [age] 0 [drop] 1.4rem;
  }
  .ltp-board.ltp-board .c-age, .ltp-board.ltp-board .c-symbol i { display: none; }
}
@container (max-width: 440px) {
  .ltp-board .titles, .ltp-board .row {
    padding-inline: .6rem 0; column-gap: 0;
    grid-template-columns:
      [symbol] minmax(5rem, 2fr) [recent] minmax(2.4rem, 1fr) [ltp] 4.9rem [change] 0 [changep] 0 [day] 0 [dayp] 4.1rem
      [range] 0 [volume] 0 [age] 0 [drop] 1.1rem;
  }
  .ltp-board.ltp-board .c-change, .ltp-board.ltp-board .c-age, .ltp-board.ltp-board .c-symbol i, .ltp-board.ltp-board .group.tick { display: none; }
  .ltp-board .row .c-recent { padding-left: .4rem; }
  .ltp-board .drop { padding: 0; width: 100%; }
}
`;var Be=18,B=60,We=500,Ye=1e3,le=[["symbol","Symbol","Symbol and exchange"],["ltp","LTP","Last traded price"],["change","chg","Change since the previous tick"],["change_percent","%","Change since the previous tick, in percent"],["day_change","chg","Change since the previous close"],["day_change_percent","%","Change since the previous close, in percent"],["range","Day range","Low, last and high of the day; the notch is the opening price"],["recent","Recent","Prices of the last minutes, at most fifteen"],["volume","Volume","Traded today"],["age","Age","Since the last tick"]],He=new Set(le.map(([t])=>t).filter(t=>t!=="symbol"&&t!=="age"));function Je(t){t.head.innerHTML='<input class="filter" type="search" placeholder="Filter" aria-label="Filter symbols" spellcheck="false" autocomplete="off"><span class="count faint" role="status"></span><span class="grow"></span><form class="add" hidden><input placeholder="Add symbol" aria-label="Symbol to subscribe" spellcheck="false" autocomplete="off"><button type="submit" title="Subscribe">Add</button></form><button class="pause" aria-pressed="false" title="Hold the picture">Pause</button>',t.body.innerHTML='<div class="frame"><div class="pane" role="grid" tabindex="0" aria-label="Watchlist"><div class="titles" role="row"><span class="group tick"><span>since </span>previous tick</span><span class="group day"><span>since </span>previous close</span></div><div class="sheet"></div></div><div class="empty" hidden></div></div>';let n=h(t.head,".filter"),a=h(t.head,".count"),g=h(t.head,".add"),l=h(g,"input"),x=h(t.head,".pause"),s=h(t.body,".pane"),C=h(t.body,".titles"),F=h(t.body,".sheet"),I=h(t.body,".empty"),R=le.map(([e,r,o])=>{let i=document.createElement("div");i.className=`c-${e}`,i.setAttribute("role","columnheader");let p=document.createElement("button");return p.title=`${o}. Click to sort.`,p.setAttribute("aria-label",`Sort by: ${o}`),p.innerHTML="<span></span><i></i>",p.firstElementChild.textContent=r,p.addEventListener("click",()=>ee(e)),i.append(p),C.append(i),{key:e,el:i,button:p}});C.append(document.createElement("div")),C.lastElementChild.className="c-drop";let u=[],O=[],A=[],L=!1,E=null,j=null,w=[],P="",q=0,V={top:0,height:0},_=new Q,S=new Map,G=[];n.addEventListener("input",()=>{t.choose("find",n.value),b(!0)}),n.addEventListener("keydown",e=>e.key==="ArrowDown"&&s.focus()),g.addEventListener("submit",e=>{e.preventDefault();let r=l.value.trim();r&&t.choose("subscribe",r)}),x.addEventListener("click",()=>t.choose("paused",!t.chosen("paused"))),s.addEventListener("scroll",()=>{T(),k()}),s.addEventListener("click",e=>{let r=Z(e.target);r&&(e.target.closest(".drop")?t.choose("unsubscribe",u[r.shows]):W(r.shows))}),s.addEventListener("keydown",e=>{if(e.target!==s&&e.key!=="Escape")return;let r=w.indexOf(u.indexOf(t.chosen("symbol"))),o=Math.max(1,Math.floor(s.clientHeight/H())-2),i={ArrowDown:1,ArrowUp:-1,PageDown:o,PageUp:-o,Home:-w.length,End:w.length}[e.key];if(i!==void 0&&w.length){e.preventDefault();let p=r<0?i>0?0:w.length-1:Math.min(Math.max(r+i,0),w.length-1);W(w[p]);let d=p*H(),c=s.clientHeight-C.offsetHeight;d<s.scrollTop?s.scrollTop=d:d+H()>s.scrollTop+c&&(s.scrollTop=d+H()-c)}else(e.key==="Delete"||e.key==="Backspace")&&L&&r>=0&&(e.preventDefault(),t.choose("unsubscribe",u[w[r]]))});let J=setInterval(()=>{for(let e of S.values())de(e)},1e3),D=matchMedia("(pointer: coarse)"),H=()=>D.matches?38:30;function Z(e){let r=e?.closest(".row");return[...S.values()].find(o=>o.el===r)}function W(e){t.choose("symbol",u[e]),k()}function ee(e){let r=t.chosen("sort")??"",o=He.has(e)?`-${e}`:e,i=He.has(e)?e:`-${e}`;t.choose("sort",r===o?i:r===i?"":o),b(!0)}function te(e,r){let o=E.columns;return e==="range"?(o.ltp[r]-o.low[r])/(o.high[r]-o.low[r]):e==="age"?-o.at[r]:e==="recent"?o.curves[(r+1)*B-1]-y(r):o[e][r]}function y(e){let r=E.columns.curves;for(let o=e*B;o<(e+1)*B;o++)if(r[o])return r[o];return NaN}function b(e=!1){if(!E)return;let r=t.chosen("sort")??"",o=String(t.chosen("find")??"").trim().toLowerCase(),i=JSON.stringify([r,o]),p=Date.now()-q>Ye&&r!==""&&!F.matches(":hover");if(e||i!==P||p){P=i,q=Date.now(),w=u.map((v,f)=>f).filter(v=>u[v].toLowerCase().includes(o));let d=r.replace("-",""),c=r.startsWith("-")?-1:1;if(d==="symbol")w.sort((v,f)=>c*Ce(u[v]).localeCompare(Ce(u[f])));else if(d){let v=u.map((f,N)=>te(d,N));w.sort((f,N)=>{let[$,re]=[v[f],v[N]];return Number.isNaN($)||Number.isNaN(re)?Number(Number.isNaN($))-Number(Number.isNaN(re)):c*($-re)||f-N})}for(let{key:v,el:f,button:N}of R){let $=v!==d?"none":c>0?"ascending":"descending";f.setAttribute("aria-sort",$),M(h(N,"i"),$==="none"?"":c>0?"\u25B2":"\u25BC")}s.setAttribute("aria-rowcount",String(w.length+1)),M(a,w.length===u.length?Re(u.length):`${w.length} of ${Re(u.length)}`),I.hidden=w.length>0,s.hidden=u.length===0,u.length?M(I,`No symbol matches \u201C${o}\u201D.`):M(I,L?"The board is empty. Add a symbol above.":"There is nothing to show.");let m=H();t.root.style.setProperty("--row",`${m}px`),F.style.height=`${w.length*m}px`,s.style.maxHeight=`${C.offsetHeight+Be*m}px`,T()}k()}function T(){V={top:s.scrollTop,height:s.clientHeight}}function k(){if(!E)return;let e=H(),r=Math.max(0,Math.floor(V.top/e)-1),o=Math.min(w.length,Math.ceil((V.top+V.height)/e)+1),i=new Set;for(let d=r;d<o;d++)i.add(w[d]);for(let[d,c]of S)i.has(d)||(S.delete(d),c.el.style.display="none",_.drop(c.price),c.shows=-1,G.push(c));let p=t.chosen("symbol");for(let d=r;d<o;d++){let c=w[d],m=S.get(c);m?m.drawn&&m.el.classList.remove("moved"):(m=G.pop()??ne(),S.set(c,m),m.el.style.display="",m.el.classList.add("moved"),m.top=NaN,De(m,c)),m.top!==d*e&&(m.el.style.transform=`translateY(${m.top=d*e}px)`,m.el.setAttribute("aria-rowindex",String(d+2)));let v=u[c]===p;m.el.getAttribute("aria-selected")!==String(v)&&m.el.setAttribute("aria-selected",String(v)),v&&s.setAttribute("aria-activedescendant",m.el.id),_e(m)}}function ne(){let e=document.createElement("div");e.className="row",e.setAttribute("role","row"),e.id=`ltp-row-${Math.random().toString(36).slice(2)}`;let r={};for(let[d]of le){let c=document.createElement("div");c.className=`c-${d}`,c.setAttribute("role","gridcell"),e.append(r[d]=c)}r.symbol.innerHTML="<b></b><i></i>",r.ltp.innerHTML="<b></b>",r.range.innerHTML='<span class="low"></span><span class="track"><i class="open"></i><i class="mark"></i></span><span class="high"></span>',r.recent.innerHTML=ue;let o=document.createElement("button");o.className="drop",o.textContent="\xD7",o.tabIndex=-1;let i=document.createElement("div");i.className="c-drop",i.append(o),e.append(i),F.append(e);let p={low:h(e,".low"),high:h(e,".high"),track:h(e,".track"),mark:h(e,".mark"),open:h(e,".open")};return{el:e,cells:r,range:p,drop:o,name:h(e,".c-symbol b"),exchange:h(e,".c-symbol i"),curve:h(e,"svg"),price:h(e,".c-ltp b"),shows:-1,drawn:"",drawnAt:0,at:NaN,top:NaN,said:{}}}function De(e,r){e.shows=r,e.drawn="",e.drawnAt=0,e.at=NaN,e.said={};let[o,...i]=u[r].split(":");M(e.name,i.join(":")),M(e.exchange,o),e.cells.symbol.title=u[r],e.el.dataset.symbol=u[r],e.drop.hidden=!L,e.drop.title=`Unsubscribe ${u[r]}`,e.drop.setAttribute("aria-label",`Unsubscribe ${u[r]}`)}function _e(e){let{columns:r,header:o}=E,i=e.shows,p=O[i],d=r.ltp[i],c=f=>!Object.is(e.said[f],r[f][i])&&(e.said[f]=r[f][i],!0),m=c("ltp");m&&M(e.price,Y(d,p));for(let f of["change","day_change"]){let N=K(r[f][i]);c(f)&&ce(e.cells[f],ae(r[f][i],p),N);let $=f==="change"?3:2;c(`${f}_percent`)&&ce(e.cells[`${f}_percent`],ae(r[`${f}_percent`][i],$,"%"),N)}let v=[c("low"),c("high"),c("open")].includes(!0);(m||v)&&Fe(e,r,p),c("volume")&&M(e.cells.volume,be(r.volume[i])||"\u2013"),Ie(e,r.curves.subarray(i*B,(i+1)*B),o.points),de(e)}function Fe(e,r,o){let i=e.shows,p=r.ltp[i],[d,c]=[r.low[i],r.high[i]],m=c-d,v=N=>`${Math.min(Math.max(100*(N-d)/m,0),100).toFixed(1)}%`,f=m>0&&!Number.isNaN(p);if(e.range.track.classList.toggle("none",!f),f){e.range.mark.style.left!==v(p)&&(e.range.mark.style.left=v(p));let N=r.open[i],$=N>=d&&N<=c;e.range.open.hidden=!$,$&&e.range.open.style.left!==v(N)&&(e.range.open.style.left=v(N))}M(e.range.low,Number.isNaN(d)?"":Y(d,o)),M(e.range.high,Number.isNaN(c)?"":Y(c,o))}function ce(e,r,o){if(M(e,r),e.dataset.way!==o){e.dataset.way=o;for(let i of["up","down"])e.classList.toggle(i,o===i)}}function Ie(e,r,o){if(e.drawn&&Date.now()-e.drawnAt<We)return;let i=`${o} ${r.join()}`;if(i===e.drawn)return;e.drawn=i,e.drawnAt=Date.now();let p=Array.from(r.subarray(B-o),c=>c?(c-1)/254:NaN);me(e.curve,p);let d=p.find(c=>!Number.isNaN(c))??NaN;e.curve.setAttribute("class",`curve ${K(p[p.length-1]-d)}`)}function de(e){if(!E||e.shows<0)return;let{columns:r,header:o}=E,i=r.at[e.shows];Number.isNaN(i)?M(e.cells.age,"\u2013"):$e.has(o.state)?i!==e.at&&M(e.cells.age,we(i,A[e.shows])):M(e.cells.age,he(o.sent-i+t.elapsed())),e.at=i}function Oe(e){if(j&&j.ltp.length===e.ltp.length)for(let[r,o]of S)_.light(o.price,K(e.ltp[r]-j.ltp[r]));_.fade()}return{base({header:e}){L=e.subscribing,g.hidden=!L,u.length&&e.names.join()!==u.join()&&l.value&&(l.value=""),{names:u,decimals:O,zones:A}=e,P="";for(let r of S.values())r.el.style.display="none",_.drop(r.price),r.shows=-1,G.push(r);S.clear(),j=null},frame(e){E=e,n.getRootNode().activeElement!==n&&(n.value=t.chosen("find")??"");let r=!!t.chosen("paused");x.setAttribute("aria-pressed",String(r)),M(x,r?"Paused":"Pause"),M(h(R[R.length-1].button,"span"),$e.has(e.header.state)?"Last tick":"Age"),b(),Oe(e.columns),j=e.columns},restyle:()=>b(!0),destroy(){clearInterval(J),_.end()}}}var $e=new Set(["stored","playing","held","finished"]),Ce=t=>t.slice(t.indexOf(":")+1),Re=t=>`${t} symbol${t===1?"":"s"}`,wt=Le("board",Ae,Je);export{wt as default};
