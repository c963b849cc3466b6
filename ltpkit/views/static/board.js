function v(t,r){t.textContent!==r&&(t.textContent=r)}function f(t,r){return t.querySelector(r)}var ie=()=>matchMedia("(prefers-reduced-motion: reduce)").matches;var ce='<svg class="curve" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true"><path class="area"/><path class="line"/></svg>';function de(t,r){let s="",x=0;for(let L=0;L<r.length;L++){if(Number.isNaN(r[L]))continue;let l=r.length>1?100*L/(r.length-1):100;s||(x=l),s+=`${s?"L":"M"}${l.toFixed(1)} ${(22-19*r[L]).toFixed(1)}`}let m=r.length>1&&s!=="";f(t,".line").setAttribute("d",m?s:""),f(t,".area").setAttribute("d",m?`${s}L100 24L${x.toFixed(1)} 24Z`:"")}var pe=new Map;function oe(t,r){let s=pe.get(t);return s||pe.set(t,s=new Intl.NumberFormat("en-IN",r)),s}function Z(t,r=2){return t==null||Number.isNaN(t)?"\u2013":oe(`p${r}`,{minimumFractionDigits:r,maximumFractionDigits:r}).format(t)}function me(t){if(t==null||Number.isNaN(t))return"";let r=Math.abs(t);return r>=1e6?oe("c",{notation:"compact",maximumFractionDigits:2}).format(t):oe(r<10?"q4":"q2",{maximumFractionDigits:r<10?4:r<1e3?2:0}).format(t)}function ae(t,r=2,s=""){return t==null||Number.isNaN(t)?"\u2013":`${t>0?"+":t<0?"\u2212":""}${Z(Math.abs(t),r)}${s}`}function X(t){return t==null||Number.isNaN(t)||t===0?"":t>0?"up":"down"}function ue(t){let r=t/1e3;return r<1?"now":r<60?`${Math.floor(r)} s`:r<3600?`${Math.floor(r/60)} min`:r<172800?`${Math.floor(r/3600)} h`:`${Math.floor(r/86400)} d`}function fe(t,r){return t==null?"\u2013":new Date(t).toLocaleTimeString("en-GB",{timeZone:r,hour12:!1})}var ge=`.ltp {
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
`;function Ae(t){let r=t.match(/[\d.]+/g)?.map(Number);return!r||r.length<3||r.length>3&&r[3]<.5?null:(.2126*r[0]+.7152*r[1]+.0722*r[2])/255}function be(t){let r=t.parentNode;for(;r;){if(r instanceof HTMLElement){let s=Ae(getComputedStyle(r).backgroundColor);if(s!==null)return s<.5?"dark":"light"}r=r instanceof ShadowRoot?r.host:r.parentNode}return matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light"}function he(t){let r=matchMedia("(prefers-color-scheme: dark)"),s=new MutationObserver(t);for(let x of[document.documentElement,document.body])s.observe(x,{attributes:!0,attributeFilter:["class","style","data-theme","data-jp-theme-light"]});return r.addEventListener("change",t),()=>{s.disconnect(),r.removeEventListener("change",t)}}function ye(t){let r=getComputedStyle(t),s=x=>r.getPropertyValue(`--ltp-${x}`).trim();return{up:s("up"),down:s("down"),flat:s("flat"),text:s("text"),faint:s("faint"),line:s("line"),back:s("back"),accent:s("accent")}}var He={f8:Float64Array,f4:Float32Array,i4:Int32Array,u1:Uint8Array},$e=new TextDecoder;function le(t){if(!t||t.byteLength===0)return null;let r=t instanceof ArrayBuffer?t:t.buffer.slice(t.byteOffset,t.byteOffset+t.byteLength),s=new DataView(r).getUint32(0,!0),{columns:x,...m}=JSON.parse($e.decode(new Uint8Array(r,4,s))),L={};for(let[l,A,F,z]of x)L[l]=new He[A](r,4+s+F,z);return{header:m,columns:L}}var Ce=3500,we=new WeakMap,ee=(t,r)=>{let s=document.createElement(t);return s.className=r,s};function xe(t,r,s){function x({model:m,el:L}){let l=ee("div",`ltp ltp-${t}`),A=document.createElement("style");A.textContent=ge+r;let F=ee("div","ltp-head"),z=ee("div","ltp-body"),H=ee("div","ltp-note");H.setAttribute("role","status"),l.append(A,F,z,H),l.dataset.ltpView=t,l.dataset.lmSuppressShortcuts="true",l.addEventListener("keydown",b=>b.stopPropagation()),L.append(l);let d=null,O=null,P=null,T=null,k=null,$=0,I=Date.now(),g={},W={root:l,body:z,head:F,colours:{},choose(b,h){let N=Date.now();g[b]={value:h,until:N+2e3},m.set("chosen",{...m.get("chosen"),[b]:[h,N]}),m.save_changes()},chosen(b){let h=g[b];return h&&Date.now()<h.until?h.value:(T??d?.header)?.options[b]}},V=()=>{l.dataset.theme=be(l),W.colours=ye(l),k?.restyle?.()},S=()=>{if($=0,!l.isConnected)return;let b=O,h=P;O=P=null;let N=(h??b)?.header.options.palette;if(N&&N!==l.dataset.palette&&(l.dataset.palette=N,V()),k??=s(W),b&&(d=b,k.base?.(b)),!h)return;let{header:M}=h,re=d!==null&&M.epoch===d.header.epoch;T=M,re&&M.seq!==void 0&&(k.frame(h),M.stamp!=null&&(l.dataset.ltpStamp=String(M.stamp)),M.seq!=null&&(l.dataset.ltpSeq=String(M.seq)),M.options.symbol&&(l.dataset.ltpSymbol=M.options.symbol)),l.dataset.ltpState=M.state,l.dataset.ltpFrame=String(M.n),Q(),m.set("answered",M.n),m.save_changes()},U=()=>{$||=requestAnimationFrame(S)},Q=()=>{let b=Date.now()-I,h=b>Ce&&K();l.toggleAttribute("data-stale",h);let N="";h?N=`No news for ${Math.floor(b/1e3)} s: the kernel was restarted or is held up.`:T?.error?N=T.error:T&&ve[T.state]&&(N=ve[T.state]),H.textContent!==N&&(H.textContent=N),H.classList.toggle("shown",N!==""),H.classList.toggle("bad",!h&&!!T?.error)},C=()=>{O=le(m.get("base")),I=Date.now(),U()},Y=()=>{P=le(m.get("frame")),I=Date.now(),U()},J=!0,K=()=>J&&!document.hidden,D=we.get(m)??new Set;we.set(m,D);let q=()=>{let b=D.size>0;K()?(D.has(l)||(I=Date.now()),D.add(l)):D.delete(l);let h=D.size>0;(h!==b||m.get("seen")!==h)&&(m.set("seen",h),m.save_changes())},j=new IntersectionObserver(b=>{J=b[b.length-1].isIntersecting,q()}),B=new ResizeObserver(()=>k?.restyle?.());m.on("change:base",C),m.on("change:frame",Y),document.addEventListener("visibilitychange",q),j.observe(l),B.observe(l);let te=he(V),ne=setInterval(Q,1e3);return V(),C(),Y(),q(),()=>{m.off("change:base",C),m.off("change:frame",Y),document.removeEventListener("visibilitychange",q),j.disconnect(),B.disconnect(),te(),clearInterval(ne),$&&cancelAnimationFrame($),k?.destroy?.(),D.delete(l),D.size===0&&(m.set("seen",!1),m.save_changes()),l.remove()}}return{render:x}}var ve={connecting:"Connecting \u2026",stale:"The feed is silent.",backing_off:"The connection is down; trying again.",refused:"The broker refused the connection.",stopped:"The stream is stopped."};var ke=`.ltp.ltp-board { --row: 30px; min-width: 15rem; }
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
`;var _e=18,G=60,Re=1e3,se=[["symbol","Symbol","Symbol and exchange"],["ltp","LTP","Last traded price"],["change","chg","Change since the previous tick"],["change_percent","%","Change since the previous tick, in percent"],["day_change","chg","Change since the previous close"],["day_change_percent","%","Change since the previous close, in percent"],["range","Day range","Low, last and high of the day; the notch is the opening price"],["recent","Recent","Prices of the last minutes, at most fifteen"],["volume","Volume","Traded today"],["age","Age","Since the last tick"]],Ne=new Set(se.map(([t])=>t).filter(t=>t!=="symbol"&&t!=="age"));function Fe(t){t.head.innerHTML='<input class="filter" type="search" placeholder="Filter" aria-label="Filter symbols" spellcheck="false" autocomplete="off"><span class="count faint" role="status"></span><span class="grow"></span><form class="add" hidden><input placeholder="Add symbol" aria-label="Symbol to subscribe" spellcheck="false" autocomplete="off"><button type="submit" title="Subscribe">Add</button></form><button class="pause" aria-pressed="false" title="Hold the picture">Pause</button>',t.body.innerHTML='<div class="frame"><div class="pane" role="grid" tabindex="0" aria-label="Watchlist"><div class="titles" role="row"><span class="group tick"><span>since </span>previous tick</span><span class="group day"><span>since </span>previous close</span></div><div class="sheet"></div></div><div class="empty" hidden></div></div>';let r=f(t.head,".filter"),s=f(t.head,".count"),x=f(t.head,".add"),m=f(x,"input"),L=f(t.head,".pause"),l=f(t.body,".pane"),A=f(t.body,".titles"),F=f(t.body,".sheet"),z=f(t.body,".empty"),H=se.map(([e,n,o])=>{let a=document.createElement("div");a.className=`c-${e}`,a.setAttribute("role","columnheader");let p=document.createElement("button");return p.title=`${o}. Click to sort.`,p.setAttribute("aria-label",`Sort by: ${o}`),p.innerHTML="<span></span><i></i>",p.firstElementChild.textContent=n,p.addEventListener("click",()=>K(e)),a.append(p),A.append(a),{key:e,el:a,button:p}});A.append(document.createElement("div")),A.lastElementChild.className="c-drop";let d=[],O=[],P=[],T=!1,k=null,$=null,I=0,g=[],W="",V=0,S=new Map,U=[];r.addEventListener("input",()=>{t.choose("find",r.value),j(!0)}),r.addEventListener("keydown",e=>e.key==="ArrowDown"&&l.focus()),x.addEventListener("submit",e=>{e.preventDefault();let n=m.value.trim();n&&t.choose("subscribe",n)}),L.addEventListener("click",()=>t.choose("paused",!t.chosen("paused"))),l.addEventListener("scroll",()=>B()),l.addEventListener("click",e=>{let n=Y(e.target);n&&(e.target.closest(".drop")?t.choose("unsubscribe",d[n.shows]):J(n.shows))}),l.addEventListener("keydown",e=>{if(e.target!==l&&e.key!=="Escape")return;let n=g.indexOf(d.indexOf(t.chosen("symbol"))),o=Math.max(1,Math.floor(l.clientHeight/C())-2),a={ArrowDown:1,ArrowUp:-1,PageDown:o,PageUp:-o,Home:-g.length,End:g.length}[e.key];if(a!==void 0&&g.length){e.preventDefault();let p=n<0?a>0?0:g.length-1:Math.min(Math.max(n+a,0),g.length-1);J(g[p]);let i=p*C(),c=l.clientHeight-A.offsetHeight;i<l.scrollTop?l.scrollTop=i:i+C()>l.scrollTop+c&&(l.scrollTop=i+C()-c)}else(e.key==="Delete"||e.key==="Backspace")&&T&&n>=0&&(e.preventDefault(),t.choose("unsubscribe",d[g[n]]))});let Q=setInterval(()=>{for(let e of S.values())M(e)},1e3),C=()=>matchMedia("(pointer: coarse)").matches?38:30;function Y(e){let n=e?.closest(".row");return[...S.values()].find(o=>o.el===n)}function J(e){t.choose("symbol",d[e]),B()}function K(e){let n=t.chosen("sort")??"",o=Ne.has(e)?`-${e}`:e,a=Ne.has(e)?e:`-${e}`;t.choose("sort",n===o?a:n===a?"":o),j(!0)}function D(e,n){let o=k.columns;return e==="range"?(o.ltp[n]-o.low[n])/(o.high[n]-o.low[n]):e==="age"?-o.at[n]:e==="recent"?o.curves[(n+1)*G-1]-q(n):o[e][n]}function q(e){let n=k.columns.curves;for(let o=e*G;o<(e+1)*G;o++)if(n[o])return n[o];return NaN}function j(e=!1){if(!k)return;let n=t.chosen("sort")??"",o=String(t.chosen("find")??"").trim().toLowerCase(),a=JSON.stringify([n,o,d]),p=Date.now()-V>Re&&n!==""&&!F.matches(":hover");if(e||a!==W||p){W=a,V=Date.now(),g=d.map((E,w)=>w).filter(E=>d[E].toLowerCase().includes(o));let i=n.replace("-",""),c=n.startsWith("-")?-1:1;if(i==="symbol")g.sort((E,w)=>c*Ee(d[E]).localeCompare(Ee(d[w])));else if(i){let E=d.map((w,_)=>D(i,_));g.sort((w,_)=>{let[y,R]=[E[w],E[_]];return Number.isNaN(y)||Number.isNaN(R)?Number(Number.isNaN(y))-Number(Number.isNaN(R)):c*(y-R)||w-_})}for(let{key:E,el:w,button:_}of H){let y=E!==i?"none":c>0?"ascending":"descending";w.setAttribute("aria-sort",y),v(f(_,"i"),y==="none"?"":c>0?"\u25B2":"\u25BC")}l.setAttribute("aria-rowcount",String(g.length+1)),v(s,g.length===d.length?Le(d.length):`${g.length} of ${Le(d.length)}`),z.hidden=g.length>0,l.hidden=d.length===0,d.length?v(z,`No symbol matches \u201C${o}\u201D.`):v(z,T?"The board is empty. Add a symbol above.":"There is nothing to show.");let u=C();t.root.style.setProperty("--row",`${u}px`),F.style.height=`${g.length*u}px`,l.style.maxHeight=`${A.offsetHeight+_e*u}px`}B()}function B(){if(!k)return;let e=C(),n=Math.max(0,Math.floor(l.scrollTop/e)-1),o=Math.min(g.length,Math.ceil((l.scrollTop+l.clientHeight)/e)+1),a=new Set;for(let i=n;i<o;i++)a.add(g[i]);for(let[i,c]of S)a.has(i)||(S.delete(i),c.el.style.display="none",c.flash?.cancel(),c.shows=-1,U.push(c));let p=t.chosen("symbol");for(let i=n;i<o;i++){let c=g[i],u=S.get(c);u?u.el.classList.remove("moved"):(u=U.pop()??te(),S.set(c,u),u.el.style.display="",u.el.classList.add("moved"),ne(u,c));let E=`translateY(${i*e}px)`;u.el.style.transform!==E&&(u.el.style.transform=E),u.el.setAttribute("aria-rowindex",String(i+2));let w=d[c]===p;u.el.getAttribute("aria-selected")!==String(w)&&u.el.setAttribute("aria-selected",String(w)),w&&l.setAttribute("aria-activedescendant",u.el.id),b(u)}}function te(){let e=document.createElement("div");e.className="row",e.setAttribute("role","row"),e.id=`ltp-row-${Math.random().toString(36).slice(2)}`;let n={};for(let[i]of se){let c=document.createElement("div");c.className=`c-${i}`,c.setAttribute("role","gridcell"),e.append(n[i]=c)}n.symbol.innerHTML="<b></b><i></i>",n.ltp.innerHTML="<b></b>",n.range.innerHTML='<span class="low"></span><span class="track"><i class="open"></i><i class="mark"></i></span><span class="high"></span>',n.recent.innerHTML=ce;let o=document.createElement("button");o.className="drop",o.textContent="\xD7",o.tabIndex=-1;let a=document.createElement("div");a.className="c-drop",a.append(o),e.append(a),F.append(e);let p={low:f(e,".low"),high:f(e,".high"),track:f(e,".track"),mark:f(e,".mark"),open:f(e,".open")};return{el:e,cells:n,range:p,drop:o,name:f(e,".c-symbol b"),exchange:f(e,".c-symbol i"),curve:f(e,"svg"),shows:-1,drawn:"",at:NaN}}function ne(e,n){e.shows=n,e.drawn="",e.at=NaN;let[o,...a]=d[n].split(":");v(e.name,a.join(":")),v(e.exchange,o),e.cells.symbol.title=d[n],e.el.dataset.symbol=d[n],e.drop.hidden=!T,e.drop.title=`Unsubscribe ${d[n]}`,e.drop.setAttribute("aria-label",`Unsubscribe ${d[n]}`)}function b(e){let{columns:n,header:o}=k,a=e.shows,p=O[a],i=n.ltp[a];v(e.cells.ltp.firstElementChild,Z(i,p));for(let y of["change","day_change"]){let R=X(n[y][a]);h(e.cells[y],ae(n[y][a],p),R);let Te=y==="change"?3:2;h(e.cells[`${y}_percent`],ae(n[`${y}_percent`][a],Te,"%"),R)}let[c,u]=[n.low[a],n.high[a]],E=u-c,w=y=>`${Math.min(Math.max(100*(y-c)/E,0),100).toFixed(1)}%`,_=E>0&&!Number.isNaN(i);if(e.range.track.classList.toggle("none",!_),_){e.range.mark.style.left!==w(i)&&(e.range.mark.style.left=w(i));let y=n.open[a],R=y>=c&&y<=u;e.range.open.hidden=!R,R&&e.range.open.style.left!==w(y)&&(e.range.open.style.left=w(y))}v(e.range.low,Number.isNaN(c)?"":Z(c,p)),v(e.range.high,Number.isNaN(u)?"":Z(u,p)),v(e.cells.volume,me(n.volume[a])||"\u2013"),N(e,n.curves.subarray(a*G,(a+1)*G),o.points),M(e)}function h(e,n,o){v(e,n);for(let a of["up","down"])e.classList.toggle(a,o===a)}function N(e,n,o){let a=`${o} ${n.join()}`;if(a===e.drawn)return;e.drawn=a;let p=Array.from(n.subarray(G-o),c=>c?(c-1)/254:NaN);de(e.curve,p);let i=p.find(c=>!Number.isNaN(c))??NaN;e.curve.setAttribute("class",`curve ${X(p[p.length-1]-i)}`)}function M(e){if(!k||e.shows<0)return;let{columns:n,header:o}=k,a=n.at[e.shows];Number.isNaN(a)?v(e.cells.age,"\u2013"):Me.has(o.state)?a!==e.at&&v(e.cells.age,fe(a,P[e.shows])):v(e.cells.age,ue(o.sent-a+Date.now()-I)),e.at=a}function re(e){if(!(!$||$.ltp.length!==e.ltp.length||ie()))for(let[n,o]of S){let a=X(e.ltp[n]-$.ltp[n]);if(!a)continue;o.flash?.cancel();let p=`color-mix(in srgb, ${t.colours[a]} 38%, transparent)`;o.flash=o.cells.ltp.firstElementChild.animate([{background:p},{background:"transparent"}],{duration:700,easing:"ease-out"})}}return{base({header:e}){T=e.subscribing,x.hidden=!T,d.length&&e.names.join()!==d.join()&&m.value&&(m.value=""),{names:d,decimals:O,zones:P}=e;for(let n of S.values())n.el.style.display="none",n.shows=-1,U.push(n);S.clear(),$=null},frame(e){k=e,I=Date.now(),r.getRootNode().activeElement!==r&&(r.value=t.chosen("find")??"");let n=!!t.chosen("paused");L.setAttribute("aria-pressed",String(n)),v(L,n?"Paused":"Pause"),v(f(H[H.length-1].button,"span"),Me.has(e.header.state)?"Last tick":"Age"),j(),re(e.columns),$=e.columns},restyle:()=>j(!0),destroy:()=>clearInterval(Q)}}var Me=new Set(["stored","playing","held","finished"]),Ee=t=>t.slice(t.indexOf(":")+1),Le=t=>`${t} symbol${t===1?"":"s"}`,et=xe("board",ke,Fe);export{et as default};
