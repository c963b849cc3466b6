var et=new Map;function J(t,e){let n=et.get(t);return n||et.set(t,n=new Intl.NumberFormat("en-IN",e)),n}function _(t,e=2){return t==null||Number.isNaN(t)?"\u2013":J(`p${e}`,{minimumFractionDigits:e,maximumFractionDigits:e}).format(t)}function S(t){if(t==null||Number.isNaN(t))return"";let e=Math.abs(t);return e>=1e6?J("c",{notation:"compact",maximumFractionDigits:2}).format(t):J(e<10?"q4":"q2",{maximumFractionDigits:e<10?4:e<1e3?2:0}).format(t)}function nt(t,e=2,n=""){return t==null||Number.isNaN(t)?"\u2013":`${t>0?"+":t<0?"\u2212":""}${_(Math.abs(t),e)}${n}`}function rt(t){return t==null||Number.isNaN(t)||t===0?"":t>0?"up":"down"}function h(t,e){let n=t.firstChild;n===null?e&&t.append(e):n.data!==e&&(n.data=e)}var xt=matchMedia("(prefers-reduced-motion: reduce)"),ot=()=>xt.matches;var st=700,I=5,V=class{lit=new Map;later;light(e,n){n&&!ot()&&this.lit.set(e,{way:n,since:Date.now(),step:-1})}drop(e){this.lit.delete(e)&&(e.style.background="")}fade(){let e=Date.now();for(let[n,l]of this.lit){let r=Math.min(I,Math.floor(I*(e-l.since)/st));if(r===l.step)continue;l.step=r;let m=38*(1-r/I);n.style.background=r<I?`color-mix(in srgb, var(--ltp-${l.way}) ${m}%, transparent)`:"",r===I&&this.lit.delete(n)}clearTimeout(this.later),this.lit.size&&(this.later=setTimeout(()=>this.fade(),1.5*st/I))}end(){clearTimeout(this.later)}};var at=`.ltp {
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
`;var q=globalThis[Symbol.for("ltpkit.stage")]??={waiting:new Set,asked:0,groups:new Map};function Q(t){q.waiting.add(t),q.asked||=requestAnimationFrame(()=>{let e=[...q.waiting];q.waiting.clear(),q.asked=0;for(let n of e)try{n()}catch(l){reportError(l)}})}var it=t=>{q.waiting.delete(t)};function ct(t,e,n){let l=e.slice(0,e.indexOf("-")),r=q.groups.get(l);r||q.groups.set(l,r={painted:{},told:{},toldAt:0}),r.painted[e]=n;let m=n-(r.told[e]??0),s=r.toldAt+250-Date.now();clearTimeout(r.later),m>=3||s<=0?lt(r,t):r.later=setTimeout(()=>lt(r,t),s)}function lt(t,e){t.told={...t.painted},t.toldAt=Date.now(),e.set("answered",t.told),e.save_changes()}function Mt(t){let e=t.match(/[\d.]+/g)?.map(Number);return!e||e.length<3||e.length>3&&e[3]<.5?null:(.2126*e[0]+.7152*e[1]+.0722*e[2])/255}function dt(t){let e=t.parentNode;for(;e;){if(e instanceof HTMLElement){let n=Mt(getComputedStyle(e).backgroundColor);if(n!==null)return n<.5?"dark":"light"}e=e instanceof ShadowRoot?e.host:e.parentNode}return matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light"}function pt(t){let e=matchMedia("(prefers-color-scheme: dark)"),n=new MutationObserver(t);for(let l of[document.documentElement,document.body])n.observe(l,{attributes:!0,attributeFilter:["class","style","data-theme","data-jp-theme-light"]});return e.addEventListener("change",t),()=>{n.disconnect(),e.removeEventListener("change",t)}}function ut(t){let e=getComputedStyle(t),n=l=>e.getPropertyValue(`--ltp-${l}`).trim();return{up:n("up"),down:n("down"),flat:n("flat"),text:n("text"),faint:n("faint"),line:n("line"),back:n("back"),accent:n("accent")}}var Tt={f8:Float64Array,f4:Float32Array,i4:Int32Array,u1:Uint8Array},St=new TextDecoder;function Z(t){if(!t||t.byteLength===0)return null;let e=t instanceof ArrayBuffer?t:t.buffer.slice(t.byteOffset,t.byteOffset+t.byteLength),n=new DataView(e).getUint32(0,!0),{columns:l,...r}=JSON.parse(St.decode(new Uint8Array(e,4,n))),m={};for(let[s,b,y,M]of l)m[s]=new Tt[b](e,4+n+y,M);return{header:r,columns:m}}var Et=3500,ft=new WeakMap,W=(t,e)=>{let n=document.createElement(t);return n.className=e,n};function gt(t,e,n){function l({model:r,el:m}){let s=W("div",`ltp ltp-${t}`),b=document.createElement("style");b.textContent=at+e;let y=W("div","ltp-head"),M=W("div","ltp-body"),L=W("div","ltp-note");L.setAttribute("role","status"),s.append(b,y,M,L),s.dataset.ltpView=t,s.dataset.lmSuppressShortcuts="true",s.addEventListener("keydown",c=>c.stopPropagation()),m.append(s);let j=null,w={},k=null,v=null,x=Date.now(),P={},O={root:s,body:M,head:y,colours:{},font:"sans-serif",elapsed:()=>Date.now()-x,choose(c,o){let a=Date.now();P[c]={value:o,until:a+2e3},r.set("chosen",{...r.get("chosen"),[c]:[o,a]}),r.save_changes()},chosen(c){let o=P[c];return o&&Date.now()<o.until?o.value:(k??j?.header)?.options[c]}},R=()=>{s.dataset.theme=dt(s),O.colours=ut(s),O.font=getComputedStyle(s).fontFamily,v?.restyle?.()},N=()=>{if(!s.isConnected)return;let c=Z(w.base),o=Z(w.frame);w={};let a=(o??c)?.header.options.palette;if(a&&a!==s.dataset.palette&&(s.dataset.palette=a,R()),v??=n(O),c&&(j=c,v.base?.(c)),!o)return;let{header:u}=o,p=j!==null&&u.epoch===j.header.epoch;k=u,p&&u.seq!==void 0&&(v.frame(o),u.stamp!=null&&(s.dataset.ltpStamp=String(u.stamp)),u.seq!=null&&(s.dataset.ltpSeq=String(u.seq)),u.options.symbol&&(s.dataset.ltpSymbol=u.options.symbol)),s.dataset.ltpState=u.state,s.dataset.ltpFrame=String(u.n),A(),ct(r,u.view,u.n)},A=()=>{let c=Date.now()-x,o=c>Et&&z();s.toggleAttribute("data-stale",o);let a="";o?a=`No news for ${Math.floor(c/1e3)} s: the kernel was restarted or is held up.`:k?.error?a=k.error:k&&mt[k.state]&&(a=mt[k.state]),L.textContent!==a&&(L.textContent=a),L.classList.toggle("shown",a!==""),L.classList.toggle("bad",!o&&!!k?.error)},C=()=>{w.base=r.get("base"),x=Date.now(),Q(N)},T=()=>{w.frame=r.get("frame"),x=Date.now(),Q(N)},U=!0,z=()=>U&&!document.hidden,i=ft.get(r)??new Set;ft.set(r,i);let d=()=>{let c=i.size>0;z()?(i.has(s)||(x=Date.now()),i.add(s)):i.delete(s);let o=i.size>0;(o!==c||r.get("seen")!==o)&&(r.set("seen",o),r.save_changes())},f=new IntersectionObserver(c=>{U=c[c.length-1].isIntersecting,d()}),g=new ResizeObserver(()=>v?.restyle?.());r.on("change:base",C),r.on("change:frame",T),document.addEventListener("visibilitychange",d),f.observe(s),g.observe(s);let D=pt(R),$=setInterval(A,1e3);return R(),C(),T(),d(),()=>{r.off("change:base",C),r.off("change:frame",T),document.removeEventListener("visibilitychange",d),f.disconnect(),g.disconnect(),D(),clearInterval($),it(N),v?.destroy?.(),i.delete(s),i.size===0&&(r.set("seen",!1),r.save_changes()),s.remove()}}return{render:l}}var mt={connecting:"Connecting \u2026",stale:"The feed is silent.",backing_off:"The connection is down; trying again.",refused:"The broker refused the connection.",stopped:"The stream is stopped."};var bt=`.ltp.ltp-ladder { max-width: 34rem; min-width: 16rem; }
.ltp-ladder .pane { position: relative; overflow-y: auto; overflow-x: hidden; scrollbar-width: thin; }
.ltp-ladder .sheet { position: relative; }
.ltp-ladder .row, .ltp-ladder .titles {
  display: grid; grid-template-columns: 1fr .6fr 1.3fr 1.3fr 1.3fr .6fr 1fr; align-items: center; height: 22px;
}
.ltp-ladder .row { position: absolute; left: 0; right: 0; contain: strict; }
.ltp-ladder .titles { color: var(--ltp-faint); font-size: 11px; border-bottom: 1px solid var(--ltp-line); }
.ltp-ladder .titles span, .ltp-ladder .row span { padding: 0 .5rem; text-align: right; white-space: nowrap; overflow: hidden; }
.ltp-ladder .row .cum, .ltp-ladder .row .orders { color: var(--ltp-faint); font-size: 12px; }
.ltp-ladder .row .price { text-align: center; font-weight: 600; }
.ltp-ladder .titles .price { text-align: center; }
.ltp-ladder .qty { position: relative; height: 100%; display: flex; align-items: center; justify-content: flex-end; }
.ltp-ladder .qty.ask, .ltp-ladder .titles .ask, .ltp-ladder .row .ask { text-align: left; justify-content: flex-start; }
.ltp-ladder .qty i { position: absolute; top: 2px; bottom: 2px; border-radius: 3px; width: 100%; transform: scaleX(0); }
.ltp-ladder .qty.bid i { right: 0; transform-origin: right; background: color-mix(in srgb, var(--ltp-up) 26%, transparent); }
.ltp-ladder .qty.ask i { left: 0; transform-origin: left; background: color-mix(in srgb, var(--ltp-down) 26%, transparent); }
.ltp-ladder .qty b { position: relative; font-weight: 500; }
.ltp-ladder .row.bid .price { color: var(--ltp-up); }
.ltp-ladder .row.ask .price { color: var(--ltp-down); }
.ltp-ladder .row.best { background: color-mix(in srgb, var(--ltp-text) 5%, transparent); }
.ltp-ladder .touch {
  position: absolute; left: 0; right: 0; height: 30px; display: flex; align-items: center; justify-content: center; gap: 1rem;
  background: var(--ltp-raised); border-block: 1px solid var(--ltp-line); font-size: 12px; color: var(--ltp-faint); white-space: nowrap;
}
.ltp-ladder .touch b { font-size: 15px; color: var(--ltp-text); padding: 0 .35rem; border-radius: 4px; }
.ltp-ladder .touch b.up { color: var(--ltp-up); }
.ltp-ladder .touch b.down { color: var(--ltp-down); }
.ltp-ladder .totals { display: flex; height: 20px; font-size: 11px; border-top: 1px solid var(--ltp-line); }
.ltp-ladder .totals span { padding: 0 .5rem; display: flex; align-items: center; overflow: hidden; white-space: nowrap; }
.ltp-ladder .totals .bid { background: color-mix(in srgb, var(--ltp-up) 20%, transparent); }
.ltp-ladder .totals .ask { background: color-mix(in srgb, var(--ltp-down) 20%, transparent); flex: 1; justify-content: flex-end; }
.ltp-ladder .empty { padding: 2rem; text-align: center; color: var(--ltp-faint); }
@container (max-width: 380px) {
  .ltp-ladder .row, .ltp-ladder .titles { grid-template-columns: 0 0 1.2fr 1.2fr 1.2fr 0 0; }
  .ltp-ladder .cum, .ltp-ladder .orders { visibility: hidden; padding: 0 !important; }
}
.ltp-ladder .frame { container-type: inline-size; }
`;var E=22,G=30,Nt=21,$t=[5,10,20,50,200];function ht(t,e){let n=t.columns[`${e}_price`],l=n.length;for(;l>0&&Number.isNaN(n[l-1]);)l--;let r=t.columns[`${e}_qty`],m=new Float64Array(l),s=0;for(let b=0;b<l;b++)m[b]=s+=r[b]||0;return{price:n,qty:r,orders:t.columns[`${e}_orders`],cum:m,total:s}}function Ht(t){t.head.innerHTML='<select class="symbol" aria-label="Symbol"></select><span class="grow"></span><select class="levels" aria-label="Levels"></select><button class="pause" aria-pressed="false" title="Hold the picture">Pause</button>',t.body.innerHTML='<div class="frame"><div class="titles"><span class="cum">total</span><span class="orders">orders</span><span>bid qty</span><span class="price">price</span><span class="ask">ask qty</span><span class="orders ask">orders</span><span class="cum ask">total</span></div><div class="pane" tabindex="0" aria-label="Price levels"><div class="sheet"></div></div><div class="totals"><span class="bid"></span><span class="ask"></span></div></div>';let e=i=>t.root.querySelector(i),n=e(".symbol"),l=e(".levels"),r=e(".pause"),m=e(".pane"),s=e(".sheet"),b=[e(".totals .bid"),e(".totals .ask")],y=document.createElement("div");y.className="touch",y.innerHTML='<span class="spread"></span><b class="ltp-last"></b><span class="mid"></span>',s.append(y);let M=y.querySelector("b"),L=y.querySelector(".spread"),j=y.querySelector(".mid"),w=2,k=null,v=null,x=null,P=null,O="",R="",N=0,A=0,C=new V,T=[];n.addEventListener("change",()=>t.choose("symbol",n.value)),l.addEventListener("change",()=>t.choose("levels",Number(l.value))),r.addEventListener("click",()=>t.choose("paused",!t.chosen("paused"))),m.addEventListener("scroll",()=>{A=m.scrollTop,z()});function U(){let i=document.createElement("div");i.innerHTML='<span class="cum"></span><span class="orders"></span><span class="qty bid"><i></i><b></b></span><span class="price"></span><span class="qty ask"><i></i><b></b></span><span class="orders ask"></span><span class="cum ask"></span>',s.append(i);let d=[...i.children];return{el:i,cells:d,bars:[...i.querySelectorAll("i")],kind:"",top:NaN,parts:[NaN,NaN],shown:!0}}function z(){if(!v)return;let{bid:i,ask:d}=v,f=Math.max(yt(i),yt(d),1),g=A-E,D=A+N+E,$=0,c=(o,a,u)=>{if(u<g||u>D)return;let p=T[$]??=U();$++;let H=v[o],K=`row ${o}${a===0?" best":""}`;p.kind!==K&&(p.el.className=p.kind=K),p.top!==u&&(p.el.style.transform=`translateY(${p.top=u}px)`),p.shown||(p.el.style.display=""),p.shown=!0;let F=o==="bid",Y=H.qty[a],B=H.orders[a];h(p.cells[0],F?S(H.cum[a]):""),h(p.cells[1],F&&!Number.isNaN(B)?S(B):""),h(p.cells[2].lastElementChild,F?S(Y):""),h(p.cells[3],_(H.price[a],w)),h(p.cells[4].lastElementChild,F?"":S(Y)),h(p.cells[5],F||Number.isNaN(B)?"":S(B)),h(p.cells[6],F?"":S(H.cum[a])),p.bars.forEach((vt,X)=>{let tt=F===(X===0)?Math.round(200*Y/f)/200:0;p.parts[X]!==tt&&(vt.style.transform=`scaleX(${p.parts[X]=tt})`)})};for(let o=d.cum.length-1,a=0;o>=0;o--,a+=E)c("ask",o,a);for(let o=0,a=d.cum.length*E+G;o<i.cum.length;o++,a+=E)c("bid",o,a);for(let o=$;o<T.length;o++)T[o].shown&&(T[o].el.style.display="none"),T[o].shown=!1}return{base({header:i}){w=i.decimals,wt(n,i.symbols.map(f=>[f,f]),i.options.symbol);let d=[...new Set([...$t,i.options.levels])].sort((f,g)=>f-g);wt(l,d.map(f=>[String(f),`${f} levels`]),String(i.options.levels)),x=null},frame(i){k=i;let{header:d}=i;v={bid:ht(i,"bid"),ask:ht(i,"ask")};let{bid:f,ask:g}=v,D=g.cum.length+f.cum.length;N=Math.min(D,Nt)*E+G;let $=`${g.cum.length} ${f.cum.length}`;$!==R&&(R=$,m.style.height=`${N}px`,s.style.height=`${D*E+G}px`,y.style.transform=`translateY(${g.cum.length*E}px)`),n.value=t.chosen("symbol");let c=!!t.chosen("paused");r.setAttribute("aria-pressed",String(c)),h(r,c?"Paused":"Pause");let o=`${d.options.symbol} ${d.options.levels} ${D>0}`;o!==O&&(O=o,m.scrollTop=g.cum.length*E+G/2-N/2,A=m.scrollTop),z();let a=f.cum.length&&g.cum.length?[f.price[0],g.price[0]]:null;if(h(L,a?`spread ${_(a[1]-a[0],w)}`:""),h(j,a?`mid ${_((a[0]+a[1])/2,w+1)}`:""),h(M,_(d.ltp,w)),M.title=d.change==null?"":`${nt(d.change,w)} from the tick before`,d.ltp!=null&&x!=null&&d.ltp!==x&&d.seq!==P){let H=rt(d.ltp-x);M.className=`ltp-last ${H}`,C.light(M,H)}C.fade(),x=d.ltp??x,P=d.seq??null;let u=f.total+g.total,p=u?`${(100*f.total/u).toFixed(1)}%`:"50%";b[0].style.width!==p&&(b[0].style.width=p),h(b[0],`${S(f.total)} bid`),h(b[1],`${S(g.total)} ask`)},restyle:()=>k&&z(),destroy:()=>C.end()}}function yt(t){let e=0;for(let n=0;n<t.cum.length;n++)e=Math.max(e,t.qty[n]||0);return e}function wt(t,e,n){let l=e.map(([r])=>r).join();t.dataset.key!==l&&(t.dataset.key=l,t.replaceChildren(...e.map(([r,m])=>new Option(m,r)))),t.value=n}var Jt=gt("ladder",bt,Ht);export{Jt as default};
