#include "libcommon/charset/charset_models.h"

/* Orders of frequency as tables of letter frequencies in textbooks of cryptanalysis have them, to
 * within a place or two. */
/* clang-format off */
const struct lu_charset_model lu_charset_model[LU_CHARSET_MODELS] = {
	{ LU_GROUP_WEST, "éàèêçùôîûâïœëæÿ",
		" le la les des est et que dans une pour qui pas sur par " },
	{ LU_GROUP_WEST, "üäößé",
		" der die und das ist den mit von ein nicht auf eine dem " },
	{ LU_GROUP_WEST, "óíáéñúü¿¡",
		" de la que el en los se del las por un para con una es " },
	{ LU_GROUP_WEST, "èàòùìéî",
		" di che la il un una per non sono con del della le " },
	{ LU_GROUP_WEST, "ãçéáõêíóâàúôü",
		" de que do da em um para com uma os no se na por " },
	{ LU_GROUP_WEST, "éëïèóöüá",
		" de het een van en dat niet is voor op met zijn " },
	{ LU_GROUP_WEST, "äåöé",
		" och att det som en av den med till inte har " },
	{ LU_GROUP_WEST, "äöå",
		" ja on ei se oli mutta kun joka ovat " },
	{ LU_GROUP_WEST, "øåæéôòó",
		" og det er en som den til av med ikke har jeg " },
	{ LU_GROUP_WEST, "áðíþöæéóúý",
		" og er sem til um hann en ekki " },
	{ LU_GROUP_WEST, "àèòóéíçúïü·",
		" de la que el els les amb per una del no " },
	{ LU_GROUP_WEST, "ëç",
		" dhe se nga me ka " },
	{ LU_GROUP_WEST, "áéíóú",
		" an na agus ar is do ag " },
	{ LU_GROUP_CENTRAL, "łóżęąśćńź",
		" nie na do jest to za od po jak ale przez " },
	{ LU_GROUP_CENTRAL, "íáěéřčžšýůúňťďó",
		" na je se ze do za by to pro jako " },
	{ LU_GROUP_CENTRAL, "áíéčýšžúľťôňäďóŕĺ",
		" na sa je ako pre to za by " },
	{ LU_GROUP_CENTRAL, "áéöóőíüúű",
		" az egy hogy nem is van meg " },
	{ LU_GROUP_CENTRAL, "ăîâşţșț",
		" de la nu cu pe din este ca care mai " },
	{ LU_GROUP_CENTRAL, "čšžćđ",
		" je na se da za od ne su to kao " },
	{ LU_GROUP_TURKISH, "ıüşğöçâîû",
		" bir ve bu da de ile olarak daha " },
	{ LU_GROUP_BALTIC, "ėšžųįūąčę",
		" ir yra kad su tai bei " },
	{ LU_GROUP_BALTIC, "āīēšūžļņčķģ",
		" un ir no ar par tas " },
	{ LU_GROUP_BALTIC, "õäüöšž",
		" ja on ei et mis oma see " },
	{ LU_GROUP_ESTONIAN, "õäüöšž",
		" ja on ei et mis oma see " },
	{ LU_GROUP_CYRILLIC, "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё",
		"" },
	{ LU_GROUP_CYRILLIC, "оанивітерслкудмпзяьбгйчхцжїюєшщфґ",
		"" },
	{ LU_GROUP_CYRILLIC, "аиоетнрсвлкдпмзгъбячуцщйжфхшьюе",
		"" },
	{ LU_GROUP_CYRILLIC, "аоеинрјтсвкдупмлзгбчњљцшжћфхђџѓќ",
		"" },
	{ LU_GROUP_CYRILLIC, "аноіерітслкдвмяпуыьгзбчйўхжцшэёюф",
		"" },
	{ LU_GROUP_GREEK, "αοιετσνηυρπκμλςωίάόγέδήχύθφώβξζψϊ",
		"" },
	{ LU_GROUP_HEBREW, "יוהלאתשרבמנעכקדםפחטזצגסןךףץ",
		"" },
	{ LU_GROUP_ARABIC, "اليمنترعوبةدسفهكحقأجىطخشصضذزإغثءئظؤآ",
		"" },
};

const char lu_charset_hans[] =
	"的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之"
	"年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样"
	"理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将"
	"两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信"
	"表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔"
	"更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统"
	"区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品"
	"住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运";

const char lu_charset_hant[] =
	"的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之"
	"年過發後作裡用道行所然家種事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣"
	"理心她本前開但因只從想實日軍者意無力它與長把機十民第公此已工使情明性知全三又關點正業外將"
	"兩高間由問很最重並物手應戰向頭文體政美相見被利什二等產或新己制身果加西斯月話合回特代內信"
	"表化老給世位次度門任常先海通教兒原東聲提立及比員解水名真論處走義各入幾口認條平系氣題活爾"
	"更別打女變四神總何電數安少報才結反受目太量再感建務做接必場件計管期市直德資命山金指克許統"
	"區保至隊形社便空決治展馬科司五基眼書非則聽白卻界達光放強即像難且權思王象完設式色路記南品"
	"住告類求據程北邊死張該交規萬取拉格望覺術領共確傳師觀清今切院讓識候帶導爭運檔案";

const char lu_charset_kanji[] =
	"日一人年大十二本中長出三時行見月後前生五間上東四今金九入学高円子外八六下来気小七山話女北"
	"午百書先名川千水半男西電校語土木聞食車何南万毎白天母火右読友左休父雨的事者会社自新同場所"
	"問題合方部法手分力理用定国";

const char lu_charset_hangul[] =
	"이다는에의을가고하로지은한를사어기도들서그인대나있리자시아해수스과정일만여라부보상전주제"
	"원게장성으소우구공국동안적했비오면조신중관경선무연합니습수없않될할것때파실행명용";
/* clang-format on */
