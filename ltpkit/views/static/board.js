function x(t,n){let s=t.firstChild;s===null?n&&t.append(n):s.data!==n&&(s.data=n)}function b(t,n){return t.querySelector(n)}var De=matchMedia("(prefers-reduced-motion: reduce)"),ie=()=>De.matches;var ce='<svg class="curve" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true"><path class="area"/><path class="line"/></svg>';function de(t,n){let s="",y=0;for(let k=0;k<n.length;k++){if(Number.isNaN(n[k]))continue;let o=n.length>1?100*k/(n.length-1):100;s||(y=o),s+=`${s?"L":"M"}${o.toFixed(1)} ${(22-19*n[k]).toFixed(1)}`}let i=n.length>1&&s!=="";b(t,".line").setAttribute("d",i?s:""),b(t,".area").setAttribute("d",i?`${s}L100 24L${y.toFixed(1)} 24Z`:"")}var pe=new Map;function ne(t,n){let s=pe.get(t);return s||pe.set(t,s=new Intl.NumberFormat("en-IN",n)),s}function Y(t,n=2){return t==null||Number.isNaN(t)?"\u2013":ne(`p${n}`,{minimumFractionDigits:n,maximumFractionDigits:n}).format(t)}function me(t){if(t==null||Number.isNaN(t))return"";let n=Math.abs(t);return n>=1e6?ne("c",{notation:"compact",maximumFractionDigits:2}).format(t):ne(n<10?"q4":"q2",{maximumFractionDigits:n<10?4:n<1e3?2:0}).format(t)}function re(t,n=2,s=""){return t==null||Number.isNaN(t)?"\u2013":`${t>0?"+":t<0?"\u2212":""}${Y(Math.abs(t),n)}${s}`}function X(t){return t==null||Number.isNaN(t)||t===0?"":t>0?"up":"down"}function ue(t){let n=t/1e3;return n<1?"now":n<60?`${Math.floor(n)} s`:n<3600?`${Math.floor(n/60)} min`:n<172800?`${Math.floor(n/3600)} h`:`${Math.floor(n/86400)} d`}function ge(t,n){return t==null?"\u2013":new Date(t).toLocaleTimeString("en-GB",{timeZone:n,hour12:!1})}var fe=`.ltp {
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
`;var j=globalThis[Symbol.for("ltpkit.stage")]??={waiting:new Set,asked:0,groups:new Map};function oe(t){j.waiting.add(t),j.asked||=requestAnimationFrame(()=>{let n=[...j.waiting];j.waiting.clear(),j.asked=0;for(let s of n)try{s()}catch(y){reportError(y)}})}var he=t=>{j.waiting.delete(t)};function ye(t,n,s){let y=n.slice(0,n.indexOf("-")),i=j.groups.get(y);i||j.groups.set(y,i={painted:{},told:{},toldAt:0}),i.painted[n]=s;let k=s-(i.told[n]??0),o=i.toldAt+250-Date.now();clearTimeout(i.later),k>=3||o<=0?be(i,t):i.later=setTimeout(()=>be(i,t),o)}function be(t,n){t.told={...t.painted},t.toldAt=Date.now(),n.set("answered",t.told),n.save_changes()}function _e(t){let n=t.match(/[\d.]+/g)?.map(Number);return!n||n.length<3||n.length>3&&n[3]<.5?null:(.2126*n[0]+.7152*n[1]+.0722*n[2])/255}function we(t){let n=t.parentNode;for(;n;){if(n instanceof HTMLElement){let s=_e(getComputedStyle(n).backgroundColor);if(s!==null)return s<.5?"dark":"light"}n=n instanceof ShadowRoot?n.host:n.parentNode}return matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light"}function ve(t){let n=matchMedia("(prefers-color-scheme: dark)"),s=new MutationObserver(t);for(let y of[document.documentElement,document.body])s.observe(y,{attributes:!0,attributeFilter:["class","style","data-theme","data-jp-theme-light"]});return n.addEventListener("change",t),()=>{s.disconnect(),n.removeEventListener("change",t)}}function xe(t){let n=getComputedStyle(t),s=y=>n.getPropertyValue(`--ltp-${y}`).trim();return{up:s("up"),down:s("down"),flat:s("flat"),text:s("text"),faint:s("faint"),line:s("line"),back:s("back"),accent:s("accent")}}var Fe={f8:Float64Array,f4:Float32Array,i4:Int32Array,u1:Uint8Array},Ie=new TextDecoder;function ae(t){if(!t||t.byteLength===0)return null;let n=t instanceof ArrayBuffer?t:t.buffer.slice(t.byteOffset,t.byteOffset+t.byteLength),s=new DataView(n).getUint32(0,!0),{columns:y,...i}=JSON.parse(Ie.decode(new Uint8Array(n,4,s))),k={};for(let[o,H,F,I]of y)k[o]=new Fe[H](n,4+s+F,I);return{header:i,columns:k}}var Oe=3500,ke=new WeakMap,ee=(t,n)=>{let s=document.createElement(t);return s.className=n,s};function Ne(t,n,s){function y({model:i,el:k}){let o=ee("div",`ltp ltp-${t}`),H=document.createElement("style");H.textContent=fe+n;let F=ee("div","ltp-head"),I=ee("div","ltp-body"),$=ee("div","ltp-note");$.setAttribute("role","status"),o.append(H,F,I,$),o.dataset.ltpView=t,o.dataset.lmSuppressShortcuts="true",o.addEventListener("keydown",u=>u.stopPropagation()),k.append(o);let p=null,O={},A=null,S=null,T=Date.now(),z={},B={root:o,body:I,head:F,colours:{},choose(u,h){let M=Date.now();z[u]={value:h,until:M+2e3},i.set("chosen",{...i.get("chosen"),[u]:[h,M]}),i.save_changes()},chosen(u){let h=z[u];return h&&Date.now()<h.until?h.value:(A??p?.header)?.options[u]}},g=()=>{o.dataset.theme=we(o),B.colours=xe(o),S?.restyle?.()},U=()=>{if(!o.isConnected)return;let u=ae(O.base),h=ae(O.frame);O={};let M=(h??u)?.header.options.palette;if(M&&M!==o.dataset.palette&&(o.dataset.palette=M,g()),S??=s(B),u&&(p=u,S.base?.(u)),!h)return;let{header:N}=h,K=p!==null&&N.epoch===p.header.epoch;A=N,K&&N.seq!==void 0&&(S.frame(h),N.stamp!=null&&(o.dataset.ltpStamp=String(N.stamp)),N.seq!=null&&(o.dataset.ltpSeq=String(N.seq)),N.options.symbol&&(o.dataset.ltpSymbol=N.options.symbol)),o.dataset.ltpState=N.state,o.dataset.ltpFrame=String(N.n),W(),ye(i,N.view,N.n)},W=()=>{let u=Date.now()-T,h=u>Oe&&D();o.toggleAttribute("data-stale",h);let M="";h?M=`No news for ${Math.floor(u/1e3)} s: the kernel was restarted or is held up.`:A?.error?M=A.error:A&&Me[A.state]&&(M=Me[A.state]),$.textContent!==M&&($.textContent=M),$.classList.toggle("shown",M!==""),$.classList.toggle("bad",!h&&!!A?.error)},L=()=>{O.base=i.get("base"),T=Date.now(),oe(U)},P=()=>{O.frame=i.get("frame"),T=Date.now(),oe(U)},J=!0,D=()=>J&&!document.hidden,C=ke.get(i)??new Set;ke.set(i,C);let V=()=>{let u=C.size>0;D()?(C.has(o)||(T=Date.now()),C.add(o)):C.delete(o);let h=C.size>0;(h!==u||i.get("seen")!==h)&&(i.set("seen",h),i.save_changes())},Z=new IntersectionObserver(u=>{J=u[u.length-1].isIntersecting,V()}),Q=new ResizeObserver(()=>S?.restyle?.());i.on("change:base",L),i.on("change:frame",P),document.addEventListener("visibilitychange",V),Z.observe(o),Q.observe(o);let te=ve(g),q=setInterval(W,1e3);return g(),L(),P(),V(),()=>{i.off("change:base",L),i.off("change:frame",P),document.removeEventListener("visibilitychange",V),Z.disconnect(),Q.disconnect(),te(),clearInterval(q),he(U),S?.destroy?.(),C.delete(o),C.size===0&&(i.set("seen",!1),i.save_changes()),o.remove()}}return{render:y}}var Me={connecting:"Connecting \u2026",stale:"The feed is silent.",backing_off:"The connection is down; trying again.",refused:"The broker refused the connection.",stopped:"The stream is stopped."};var Ee=`.ltp.ltp-board { --row: 30px; min-width: 15rem; }
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
  border-bottom: 1px solid color-mix(in srgb, var(--ltp-line) 55%, transparent); transition: transform .25s ease;
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
.ltp-board .track .mark { width: 8px; height: 8px; border-radius: 50%; background: var(--ltp-text); box-shadow: 0 0 0 2px var(--ltp-back); transition: left .2s; }
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
`;var je=18,G=60,Pe=1e3,le=[["symbol","Symbol","Symbol and exchange"],["ltp","LTP","Last traded price"],["change","chg","Change since the previous tick"],["change_percent","%","Change since the previous tick, in percent"],["day_change","chg","Change since the previous close"],["day_change_percent","%","Change since the previous close, in percent"],["range","Day range","Low, last and high of the day; the notch is the opening price"],["recent","Recent","Prices of the last minutes, at most fifteen"],["volume","Volume","Traded today"],["age","Age","Since the last tick"]],Te=new Set(le.map(([t])=>t).filter(t=>t!=="symbol"&&t!=="age"));function Ve(t){t.head.innerHTML='<input class="filter" type="search" placeholder="Filter" aria-label="Filter symbols" spellcheck="false" autocomplete="off"><span class="count faint" role="status"></span><span class="grow"></span><form class="add" hidden><input placeholder="Add symbol" aria-label="Symbol to subscribe" spellcheck="false" autocomplete="off"><button type="submit" title="Subscribe">Add</button></form><button class="pause" aria-pressed="false" title="Hold the picture">Pause</button>',t.body.innerHTML='<div class="frame"><div class="pane" role="grid" tabindex="0" aria-label="Watchlist"><div class="titles" role="row"><span class="group tick"><span>since </span>previous tick</span><span class="group day"><span>since </span>previous close</span></div><div class="sheet"></div></div><div class="empty" hidden></div></div>';let n=b(t.head,".filter"),s=b(t.head,".count"),y=b(t.head,".add"),i=b(y,"input"),k=b(t.head,".pause"),o=b(t.body,".pane"),H=b(t.body,".titles"),F=b(t.body,".sheet"),I=b(t.body,".empty"),$=le.map(([e,r,a])=>{let l=document.createElement("div");l.className=`c-${e}`,l.setAttribute("role","columnheader");let m=document.createElement("button");return m.title=`${a}. Click to sort.`,m.setAttribute("aria-label",`Sort by: ${a}`),m.innerHTML="<span></span><i></i>",m.firstElementChild.textContent=r,m.addEventListener("click",()=>Z(e)),l.append(m),H.append(l),{key:e,el:l,button:m}});H.append(document.createElement("div")),H.lastElementChild.className="c-drop";let p=[],O=[],A=[],S=!1,T=null,z=null,B=0,g=[],U="",W=0,L=new Map,P=[];n.addEventListener("input",()=>{t.choose("find",n.value),q(!0)}),n.addEventListener("keydown",e=>e.key==="ArrowDown"&&o.focus()),y.addEventListener("submit",e=>{e.preventDefault();let r=i.value.trim();r&&t.choose("subscribe",r)}),k.addEventListener("click",()=>t.choose("paused",!t.chosen("paused"))),o.addEventListener("scroll",()=>u()),o.addEventListener("click",e=>{let r=C(e.target);r&&(e.target.closest(".drop")?t.choose("unsubscribe",p[r.shows]):V(r.shows))}),o.addEventListener("keydown",e=>{if(e.target!==o&&e.key!=="Escape")return;let r=g.indexOf(p.indexOf(t.chosen("symbol"))),a=Math.max(1,Math.floor(o.clientHeight/D())-2),l={ArrowDown:1,ArrowUp:-1,PageDown:a,PageUp:-a,Home:-g.length,End:g.length}[e.key];if(l!==void 0&&g.length){e.preventDefault();let m=r<0?l>0?0:g.length-1:Math.min(Math.max(r+l,0),g.length-1);V(g[m]);let c=m*D(),d=o.clientHeight-H.offsetHeight;c<o.scrollTop?o.scrollTop=c:c+D()>o.scrollTop+d&&(o.scrollTop=c+D()-d)}else(e.key==="Delete"||e.key==="Backspace")&&S&&r>=0&&(e.preventDefault(),t.choose("unsubscribe",p[g[r]]))});let J=setInterval(()=>{for(let e of L.values())se(e)},1e3),D=()=>matchMedia("(pointer: coarse)").matches?38:30;function C(e){let r=e?.closest(".row");return[...L.values()].find(a=>a.el===r)}function V(e){t.choose("symbol",p[e]),u()}function Z(e){let r=t.chosen("sort")??"",a=Te.has(e)?`-${e}`:e,l=Te.has(e)?e:`-${e}`;t.choose("sort",r===a?l:r===l?"":a),q(!0)}function Q(e,r){let a=T.columns;return e==="range"?(a.ltp[r]-a.low[r])/(a.high[r]-a.low[r]):e==="age"?-a.at[r]:e==="recent"?a.curves[(r+1)*G-1]-te(r):a[e][r]}function te(e){let r=T.columns.curves;for(let a=e*G;a<(e+1)*G;a++)if(r[a])return r[a];return NaN}function q(e=!1){if(!T)return;let r=t.chosen("sort")??"",a=String(t.chosen("find")??"").trim().toLowerCase(),l=JSON.stringify([r,a,p]),m=Date.now()-W>Pe&&r!==""&&!F.matches(":hover");if(e||l!==U||m){U=l,W=Date.now(),g=p.map((E,v)=>v).filter(E=>p[E].toLowerCase().includes(a));let c=r.replace("-",""),d=r.startsWith("-")?-1:1;if(c==="symbol")g.sort((E,v)=>d*Se(p[E]).localeCompare(Se(p[v])));else if(c){let E=p.map((v,R)=>Q(c,R));g.sort((v,R)=>{let[w,_]=[E[v],E[R]];return Number.isNaN(w)||Number.isNaN(_)?Number(Number.isNaN(w))-Number(Number.isNaN(_)):d*(w-_)||v-R})}for(let{key:E,el:v,button:R}of $){let w=E!==c?"none":d>0?"ascending":"descending";v.setAttribute("aria-sort",w),x(b(R,"i"),w==="none"?"":d>0?"\u25B2":"\u25BC")}o.setAttribute("aria-rowcount",String(g.length+1)),x(s,g.length===p.length?Ae(p.length):`${g.length} of ${Ae(p.length)}`),I.hidden=g.length>0,o.hidden=p.length===0,p.length?x(I,`No symbol matches \u201C${a}\u201D.`):x(I,S?"The board is empty. Add a symbol above.":"There is nothing to show.");let f=D();t.root.style.setProperty("--row",`${f}px`),F.style.height=`${g.length*f}px`,o.style.maxHeight=`${H.offsetHeight+je*f}px`}u()}function u(){if(!T)return;let e=D(),r=Math.max(0,Math.floor(o.scrollTop/e)-1),a=Math.min(g.length,Math.ceil((o.scrollTop+o.clientHeight)/e)+1),l=new Set;for(let c=r;c<a;c++)l.add(g[c]);for(let[c,d]of L)l.has(c)||(L.delete(c),d.el.style.display="none",d.flash?.cancel(),d.shows=-1,P.push(d));let m=t.chosen("symbol");for(let c=r;c<a;c++){let d=g[c],f=L.get(d);f?f.el.classList.remove("moved"):(f=P.pop()??h(),L.set(d,f),f.el.style.display="",f.el.classList.add("moved"),M(f,d));let E=`translateY(${c*e}px)`;f.el.style.transform!==E&&(f.el.style.transform=E),f.el.setAttribute("aria-rowindex",String(c+2));let v=p[d]===m;f.el.getAttribute("aria-selected")!==String(v)&&f.el.setAttribute("aria-selected",String(v)),v&&o.setAttribute("aria-activedescendant",f.el.id),N(f)}}function h(){let e=document.createElement("div");e.className="row",e.setAttribute("role","row"),e.id=`ltp-row-${Math.random().toString(36).slice(2)}`;let r={};for(let[c]of le){let d=document.createElement("div");d.className=`c-${c}`,d.setAttribute("role","gridcell"),e.append(r[c]=d)}r.symbol.innerHTML="<b></b><i></i>",r.ltp.innerHTML="<b></b>",r.range.innerHTML='<span class="low"></span><span class="track"><i class="open"></i><i class="mark"></i></span><span class="high"></span>',r.recent.innerHTML=ce;let a=document.createElement("button");a.className="drop",a.textContent="\xD7",a.tabIndex=-1;let l=document.createElement("div");l.className="c-drop",l.append(a),e.append(l),F.append(e);let m={low:b(e,".low"),high:b(e,".high"),track:b(e,".track"),mark:b(e,".mark"),open:b(e,".open")};return{el:e,cells:r,range:m,drop:a,name:b(e,".c-symbol b"),exchange:b(e,".c-symbol i"),curve:b(e,"svg"),shows:-1,drawn:"",at:NaN}}function M(e,r){e.shows=r,e.drawn="",e.at=NaN;let[a,...l]=p[r].split(":");x(e.name,l.join(":")),x(e.exchange,a),e.cells.symbol.title=p[r],e.el.dataset.symbol=p[r],e.drop.hidden=!S,e.drop.title=`Unsubscribe ${p[r]}`,e.drop.setAttribute("aria-label",`Unsubscribe ${p[r]}`)}function N(e){let{columns:r,header:a}=T,l=e.shows,m=O[l],c=r.ltp[l];x(e.cells.ltp.firstElementChild,Y(c,m));for(let w of["change","day_change"]){let _=X(r[w][l]);K(e.cells[w],re(r[w][l],m),_);let Ce=w==="change"?3:2;K(e.cells[`${w}_percent`],re(r[`${w}_percent`][l],Ce,"%"),_)}let[d,f]=[r.low[l],r.high[l]],E=f-d,v=w=>`${Math.min(Math.max(100*(w-d)/E,0),100).toFixed(1)}%`,R=E>0&&!Number.isNaN(c);if(e.range.track.classList.toggle("none",!R),R){e.range.mark.style.left!==v(c)&&(e.range.mark.style.left=v(c));let w=r.open[l],_=w>=d&&w<=f;e.range.open.hidden=!_,_&&e.range.open.style.left!==v(w)&&(e.range.open.style.left=v(w))}x(e.range.low,Number.isNaN(d)?"":Y(d,m)),x(e.range.high,Number.isNaN(f)?"":Y(f,m)),x(e.cells.volume,me(r.volume[l])||"\u2013"),He(e,r.curves.subarray(l*G,(l+1)*G),a.points),se(e)}function K(e,r,a){x(e,r);for(let l of["up","down"])e.classList.toggle(l,a===l)}function He(e,r,a){let l=`${a} ${r.join()}`;if(l===e.drawn)return;e.drawn=l;let m=Array.from(r.subarray(G-a),d=>d?(d-1)/254:NaN);de(e.curve,m);let c=m.find(d=>!Number.isNaN(d))??NaN;e.curve.setAttribute("class",`curve ${X(m[m.length-1]-c)}`)}function se(e){if(!T||e.shows<0)return;let{columns:r,header:a}=T,l=r.at[e.shows];Number.isNaN(l)?x(e.cells.age,"\u2013"):Le.has(a.state)?l!==e.at&&x(e.cells.age,ge(l,A[e.shows])):x(e.cells.age,ue(a.sent-l+Date.now()-B)),e.at=l}function $e(e){if(!(!z||z.ltp.length!==e.ltp.length||ie()))for(let[r,a]of L){let l=X(e.ltp[r]-z.ltp[r]);if(!l)continue;a.flash?.cancel();let m=`color-mix(in srgb, ${t.colours[l]} 38%, transparent)`;a.flash=a.cells.ltp.firstElementChild.animate([{background:m},{background:"transparent"}],{duration:700,easing:"ease-out"})}}return{base({header:e}){S=e.subscribing,y.hidden=!S,p.length&&e.names.join()!==p.join()&&i.value&&(i.value=""),{names:p,decimals:O,zones:A}=e;for(let r of L.values())r.el.style.display="none",r.shows=-1,P.push(r);L.clear(),z=null},frame(e){T=e,B=Date.now(),n.getRootNode().activeElement!==n&&(n.value=t.chosen("find")??"");let r=!!t.chosen("paused");k.setAttribute("aria-pressed",String(r)),x(k,r?"Paused":"Pause"),x(b($[$.length-1].button,"span"),Le.has(e.header.state)?"Last tick":"Age"),q(),$e(e.columns),z=e.columns},restyle:()=>q(!0),destroy:()=>clearInterval(J)}}var Le=new Set(["stored","playing","held","finished"]),Se=t=>t.slice(t.indexOf(":")+1),Ae=t=>`${t} symbol${t===1?"":"s"}`,it=Ne("board",Ee,Ve);export{it as default};
