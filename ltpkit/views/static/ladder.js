var nt=new Map;function Q(t,e){let n=nt.get(t);return n||nt.set(t,n=new Intl.NumberFormat("en-IN",e)),n}function P(t,e=2){return t==null||Number.isNaN(t)?"\u2013":Q(`p${e}`,{minimumFractionDigits:e,maximumFractionDigits:e}).format(t)}function N(t){if(t==null||Number.isNaN(t))return"";let e=Math.abs(t);return e>=1e6?Q("c",{notation:"compact",maximumFractionDigits:2}).format(t):Q(e<10?"q4":"q2",{maximumFractionDigits:e<10?4:e<1e3?2:0}).format(t)}function rt(t,e=2,n=""){return t==null||Number.isNaN(t)?"\u2013":`${t>0?"+":t<0?"\u2212":""}${P(Math.abs(t),e)}${n}`}function ot(t){return t==null||Number.isNaN(t)||t===0?"":t>0?"up":"down"}function b(t,e){let n=t.firstChild;n===null?e&&t.append(e):n.data!==e&&(n.data=e)}var kt=matchMedia("(prefers-reduced-motion: reduce)"),st=()=>kt.matches;var lt=700,U=5,V=class{lit=new Map;later;light(e,n){n&&!st()&&this.lit.set(e,{way:n,since:Date.now(),step:-1})}drop(e){this.lit.delete(e)&&(e.style.background="")}fade(){let e=Date.now();for(let[n,a]of this.lit){let r=Math.min(U,Math.floor(U*(e-a.since)/lt));if(r===a.step)continue;a.step=r;let f=38*(1-r/U);n.style.background=r<U?`color-mix(in srgb, var(--ltp-${a.way}) ${f}%, transparent)`:"",r===U&&this.lit.delete(n)}clearTimeout(this.later),this.lit.size&&(this.later=setTimeout(()=>this.fade(),1.5*lt/U))}end(){clearTimeout(this.later)}};var at=`.ltp {
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
`;var C=globalThis[Symbol.for("ltpkit.stage")]??={waiting:new Set,asked:0,groups:new Map};function Z(t){C.waiting.add(t),C.asked||=requestAnimationFrame(()=>{let e=[...C.waiting];C.waiting.clear(),C.asked=0;for(let n of e)try{n()}catch(a){reportError(a)}})}var ct=t=>{C.waiting.delete(t)};function dt(t,e,n){let a=e.slice(0,e.indexOf("-")),r=C.groups.get(a);r||C.groups.set(a,r={painted:{},told:{},toldAt:0}),r.painted[e]=n;let f=n-(r.told[e]??0),o=r.toldAt+250-Date.now();clearTimeout(r.later),f>=3||o<=0?it(r,t):r.later=setTimeout(()=>it(r,t),o)}function it(t,e){t.told={...t.painted},t.toldAt=Date.now(),e.set("answered",t.told),e.save_changes()}function Tt(t){let e=t.match(/[\d.]+/g)?.map(Number);return!e||e.length<3||e.length>3&&e[3]<.5?null:(.2126*e[0]+.7152*e[1]+.0722*e[2])/255}function pt(t){let e=t.parentNode;for(;e;){if(e instanceof HTMLElement){let n=Tt(getComputedStyle(e).backgroundColor);if(n!==null)return n<.5?"dark":"light"}e=e instanceof ShadowRoot?e.host:e.parentNode}return matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light"}function ut(t){let e=matchMedia("(prefers-color-scheme: dark)"),n=new MutationObserver(t);for(let a of[document.documentElement,document.body])n.observe(a,{attributes:!0,attributeFilter:["class","style","data-theme","data-jp-theme-light"]});return e.addEventListener("change",t),()=>{n.disconnect(),e.removeEventListener("change",t)}}function ft(t){let e=getComputedStyle(t),n=a=>e.getPropertyValue(`--ltp-${a}`).trim();return{up:n("up"),down:n("down"),flat:n("flat"),text:n("text"),faint:n("faint"),line:n("line"),back:n("back"),accent:n("accent")}}var St={f8:Float64Array,f4:Float32Array,i4:Int32Array,u1:Uint8Array},Et=new TextDecoder;function K(t){if(!t||t.byteLength===0)return null;let e=t instanceof ArrayBuffer?t:t.buffer.slice(t.byteOffset,t.byteOffset+t.byteLength),n=new DataView(e).getUint32(0,!0),{columns:a,...r}=JSON.parse(Et.decode(new Uint8Array(e,4,n))),f={};for(let[o,v,M,y]of a)f[o]=new St[v](e,4+n+M,y);return{header:r,columns:f}}var Lt=3500,mt=new WeakMap,W=(t,e)=>{let n=document.createElement(t);return n.className=e,n};function ht(t,e,n){function a({model:r,el:f}){let o=W("div",`ltp ltp-${t}`),v=document.createElement("style");v.textContent=at+e;let M=W("div","ltp-head"),y=W("div","ltp-body"),x=W("div","ltp-note");x.setAttribute("role","status"),o.append(v,M,y,x),o.dataset.ltpView=t,o.dataset.lmSuppressShortcuts="true",o.addEventListener("keydown",i=>i.stopPropagation()),f.append(o);let R=null,D={},g=null,T=null,k=Date.now(),S={},z={root:o,body:y,head:M,colours:{},font:"sans-serif",elapsed:()=>Date.now()-k,choose(i,d){let s=Date.now();S[i]={value:d,until:s+2e3},r.set("chosen",{...r.get("chosen"),[i]:[d,s]}),r.save_changes()},chosen(i){let d=S[i];return d&&Date.now()<d.until?d.value:(g??R?.header)?.options[i]}},_=()=>{o.dataset.theme=pt(o),z.colours=ft(o),z.font=getComputedStyle(o).fontFamily,T?.restyle?.()},I=()=>{if(!o.isConnected)return;let i=K(D.base),d=K(D.frame);D={};let s=(d??i)?.header.options.palette;if(s&&s!==o.dataset.palette&&(o.dataset.palette=s,_()),T??=n(z),i&&(R=i,T.base?.(i)),!d)return;let{header:l}=d,L=R!==null&&l.epoch===R.header.epoch;g=l,L&&l.seq!==void 0&&(T.frame(d),l.stamp!=null&&(o.dataset.ltpStamp=String(l.stamp)),l.seq!=null&&(o.dataset.ltpSeq=String(l.seq)),l.options.symbol&&(o.dataset.ltpSymbol=l.options.symbol)),o.dataset.ltpState=l.state,o.dataset.ltpFrame=String(l.n),F(),dt(r,l.view,l.n)},F=()=>{let i=Date.now()-k,d=i>Lt&&B();o.toggleAttribute("data-stale",d);let s="";d?s=`No news for ${Math.floor(i/1e3)} s: the kernel was restarted or is held up.`:g?.error?s=g.error:g&&gt[g.state]&&(s=gt[g.state]),x.textContent!==s&&(x.textContent=s),x.classList.toggle("shown",s!==""),x.classList.toggle("bad",!d&&!!g?.error)},H=()=>{D.base=r.get("base"),k=Date.now(),Z(I)},j=()=>{D.frame=r.get("frame"),k=Date.now(),Z(I)},q=!0,B=()=>q&&!document.hidden,w=mt.get(r)??new Set;mt.set(r,w);let c=()=>{let i=w.size>0;B()?(w.has(o)||(k=Date.now()),w.add(o)):w.delete(o);let d=w.size>0;(d!==i||r.get("seen")!==d)&&(r.set("seen",d),r.save_changes())},p=new IntersectionObserver(i=>{q=i[i.length-1].isIntersecting,c()}),m=new ResizeObserver(()=>T?.restyle?.());r.on("change:base",H),r.on("change:frame",j),document.addEventListener("visibilitychange",c),p.observe(o),m.observe(o);let h=ut(_),E=setInterval(F,1e3);return _(),H(),j(),c(),()=>{r.off("change:base",H),r.off("change:frame",j),document.removeEventListener("visibilitychange",c),p.disconnect(),m.disconnect(),h(),clearInterval(E),ct(I),T?.destroy?.(),w.delete(o),w.size===0&&(r.set("seen",!1),r.save_changes()),o.remove()}}return{render:a}}var gt={connecting:"Connecting \u2026",stale:"The feed is silent.",backing_off:"The connection is down; trying again.",refused:"The broker refused the connection.",stopped:"The stream is stopped."};var bt=`.ltp.ltp-ladder { max-width: 34rem; min-width: 16rem; }
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
.ltp-ladder [hidden] { display: none; }
.ltp-ladder .empty { padding: 2rem; text-align: center; color: var(--ltp-faint); }
@container (max-width: 380px) {
  .ltp-ladder .row, .ltp-ladder .titles { grid-template-columns: 0 0 1.2fr 1.2fr 1.2fr 0 0; }
  .ltp-ladder .cum, .ltp-ladder .orders { visibility: hidden; padding: 0 !important; }
}
.ltp-ladder .frame { container-type: inline-size; }
`;var $=22,Y=30,$t=21,Ht=[5,10,20,50,200];function yt(t,e){let n=t.columns[`${e}_price`],a=n.length;for(;a>0&&Number.isNaN(n[a-1]);)a--;let r=t.columns[`${e}_qty`],f=new Float64Array(a),o=0;for(let v=0;v<a;v++)f[v]=o+=r[v]||0;return{price:n,qty:r,orders:t.columns[`${e}_orders`],cum:f,total:o}}function qt(t){t.head.innerHTML='<select class="symbol" aria-label="Symbol"></select><span class="grow"></span><select class="levels" aria-label="Levels"></select><button class="pause" aria-pressed="false" title="Hold the picture">Pause</button>',t.body.innerHTML='<div class="frame"><div class="titles"><span class="cum">total</span><span class="orders">orders</span><span>bid qty</span><span class="price">price</span><span class="ask">ask qty</span><span class="orders ask">orders</span><span class="cum ask">total</span></div><div class="pane" tabindex="0" aria-label="Price levels"><div class="sheet"></div></div><div class="totals"><span class="bid"></span><span class="ask"></span></div><div class="empty" hidden>No book yet.</div></div>';let e=c=>t.root.querySelector(c),n=e(".symbol"),a=e(".levels"),r=e(".pause"),f=e(".pane"),o=e(".sheet"),v=e(".empty"),M=[e(".totals .bid"),e(".totals .ask")],y=document.createElement("div");y.className="touch",y.innerHTML='<span class="spread"></span><b class="ltp-last"></b><span class="mid"></span>',o.append(y);let x=y.querySelector("b"),R=y.querySelector(".spread"),D=y.querySelector(".mid"),g=2,T=null,k=null,S=null,z=null,_="",I="",F=0,H=0,j=new V,q=[];n.addEventListener("change",()=>t.choose("symbol",n.value)),a.addEventListener("change",()=>t.choose("levels",Number(a.value))),r.addEventListener("click",()=>t.choose("paused",!t.chosen("paused"))),f.addEventListener("scroll",()=>{H=f.scrollTop,w()});function B(){let c=document.createElement("div");c.innerHTML='<span class="cum"></span><span class="orders"></span><span class="qty bid"><i></i><b></b></span><span class="price"></span><span class="qty ask"><i></i><b></b></span><span class="orders ask"></span><span class="cum ask"></span>',o.append(c);let p=[...c.children];return{el:c,cells:p,bars:[...c.querySelectorAll("i")],kind:"",top:NaN,parts:[NaN,NaN],shown:!0}}function w(){if(!k)return;let{bid:c,ask:p}=k,m=Math.max(wt(c),wt(p),1),h=H-$,E=H+F+$,i=0,d=(s,l,L)=>{if(L<h||L>E)return;let u=q[i]??=B();i++;let A=k[s],tt=`row ${s}${l===0?" best":""}`;u.kind!==tt&&(u.el.className=u.kind=tt),u.top!==L&&(u.el.style.transform=`translateY(${u.top=L}px)`),u.shown||(u.el.style.display=""),u.shown=!0;let O=s==="bid",X=A.qty[l],G=A.orders[l];b(u.cells[0],O?N(A.cum[l]):""),b(u.cells[1],O&&!Number.isNaN(G)?N(G):""),b(u.cells[2].lastElementChild,O?N(X):""),b(u.cells[3],P(A.price[l],g)),b(u.cells[4].lastElementChild,O?"":N(X)),b(u.cells[5],O||Number.isNaN(G)?"":N(G)),b(u.cells[6],O?"":N(A.cum[l])),u.bars.forEach((xt,J)=>{let et=O===(J===0)?Math.round(200*X/m)/200:0;u.parts[J]!==et&&(xt.style.transform=`scaleX(${u.parts[J]=et})`)})};for(let s=p.cum.length-1,l=0;s>=0;s--,l+=$)d("ask",s,l);for(let s=0,l=p.cum.length*$+Y;s<c.cum.length;s++,l+=$)d("bid",s,l);for(let s=i;s<q.length;s++)q[s].shown&&(q[s].el.style.display="none"),q[s].shown=!1}return{base({header:c}){g=c.decimals,vt(n,c.symbols.map(m=>[m,m]),c.options.symbol);let p=[...new Set([...Ht,c.options.levels])].sort((m,h)=>m-h);vt(a,p.map(m=>[String(m),`${m} levels`]),String(c.options.levels)),S=null},frame(c){T=c;let{header:p}=c;k={bid:yt(c,"bid"),ask:yt(c,"ask")};let{bid:m,ask:h}=k,E=h.cum.length+m.cum.length;F=Math.min(E,$t)*$+Y;let i=`${h.cum.length} ${m.cum.length} ${p.ltp==null}`;i!==I&&(I=i,v.hidden=E>0,M[0].parentElement.hidden=f.hidden=E===0&&p.ltp==null,f.style.height=`${F}px`,o.style.height=`${E*$+Y}px`,y.style.transform=`translateY(${h.cum.length*$}px)`),n.value=t.chosen("symbol");let d=!!t.chosen("paused");r.setAttribute("aria-pressed",String(d)),b(r,d?"Paused":"Pause");let s=`${p.options.symbol} ${p.options.levels} ${E>0}`;s!==_&&(_=s,f.scrollTop=h.cum.length*$+Y/2-F/2,H=f.scrollTop),w();let l=m.cum.length&&h.cum.length?[m.price[0],h.price[0]]:null;if(b(R,l?`spread ${P(l[1]-l[0],g)}`:""),b(D,l?`mid ${P((l[0]+l[1])/2,g+1)}`:""),b(x,P(p.ltp,g)),x.title=p.change==null?"":`${rt(p.change,g)} from the tick before`,p.ltp!=null&&S!=null&&p.ltp!==S&&p.seq!==z){let A=ot(p.ltp-S);x.className=`ltp-last ${A}`,j.light(x,A)}j.fade(),S=p.ltp??S,z=p.seq??null;let L=m.total+h.total,u=L?`${(100*m.total/L).toFixed(1)}%`:"50%";M[0].style.width!==u&&(M[0].style.width=u),b(M[0],`${N(m.total)} bid`),b(M[1],`${N(h.total)} ask`)},restyle:()=>T&&w(),destroy:()=>j.end()}}function wt(t){let e=0;for(let n=0;n<t.cum.length;n++)e=Math.max(e,t.qty[n]||0);return e}function vt(t,e,n){let a=e.map(([r])=>r).join();t.dataset.key!==a&&(t.dataset.key=a,t.replaceChildren(...e.map(([r,f])=>new Option(f,r)))),t.value=n}var Qt=ht("ladder",bt,qt);export{Qt as default};
