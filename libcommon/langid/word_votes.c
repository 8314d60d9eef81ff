#include "libcommon/langid/word_votes.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/langid/common_words.h"

#define LONGEST 8  /* bytes of a word of the table */
#define SLOTS 8192 /* four times the words, and a power of two */

/* The points a language begins without, and its words. */
static const struct {
	const char *code;
	int handicap;
	const char *words;
} neighbours[] = {
	{ "ca", 1,
			"abans així això al alguns als altra altre altres amb any anys aquell "
			"aquest aquesta aquestes aquests ara bé cada cap com contra de del dels "
			"des després dins doncs dos dues durant el ell ella ells els em en encara "
			"entre era eren es estan està et fa fer fins fou gran ha han haver havia "
			"hem hi ho ja jo la les li llur llurs lo mai mateix me mentre menys meu "
			"molt molta molts més na ne ni no només on pel pels per perquè però poc "
			"poden pot qual quals quan que qui què sa se segons sense ser serà seu "
			"seus seva seves si sinó sobre som sota sí són també tan tant te tenen "
			"tenir tot tota totes tots tres té un una unes uns us va vaig van vostre "
			"és" },
	{ "oc", 1,
			"abans aici aicí ailà aital aiçò al als amb ambe après aquel aquela "
			"aquelas aqueles aquesta aquestas aqueste aquestes aquestis aquò ara "
			"autra autras autre autres avant aver aviá avián avètz ben bon bona cada "
			"cadun cal caliá cap car coma contra cossí dau de degun dejós del dels "
			"dempuèi despuèi dessús dich dins dit doas doncas dos el ela elas eles en "
			"encara enlà entre entrò era es esse estat fa fach facha faire fan far "
			"fins foguèt fòrt fòrça gaire gaireben grand granda ja jamai jos la las "
			"li lo lor lors los mai mantuns mas me mens mentre meteis mès ne ni non "
			"nos novèl nòstra nòstre ont pas pauc pel pels per perque perqué plan "
			"podètz pr'aquò puèi pòdon pòt qu qual qualque qualques quand quant que "
			"quin quora res sa sans se sens ser serà seu seus sieu sieuna sieus siá "
			"son sonca sonque sos sota sul sus tal tan tanben tanplan tant te tot "
			"tota totas totes totjorn tròp un una unes uèi va veire vos vèrs vòstra "
			"vòstre èra èran èsser ò òm" },
	{ "gl", 2,
			"algunha algúns ante antes ao aos aquel aquela as así ata aínda ben cada "
			"cal cando co coa coas como con contra cos da das de del dela deles dende "
			"desde do dos dous dá dúas el ela elas eles en entre era eran es esa ese "
			"esta este está están eu facer foi foron ha hai isto la lle lles logo "
			"mais mesmo meu miña moi moita moito moitos máis na nas nin no non nos "
			"nun nunha nós onde os ou outra outras outro outros para pero pode poden "
			"pola polas polo polos por porque pouco que quen se segundo sen ser será "
			"seu seus sobre son só súa súas tamén tan te ten teñen tiña toda todas "
			"todo todos tras un unha unhas uns vos xa xunto á ás é" },
	{ "ro", 1,
			"aceasta această acest acesta aceste acestea acestor acești ai aici al "
			"ale alt alta alte altul am ar are as asta astfel atunci au avea avut ca "
			"care ce cea cei cel cele celor chiar ci cu cum când cât către da dacă "
			"dar dat de deci despre din dintre doar după ea ei el ele era este eu fi "
			"fie fiecare fiind foarte fost fără iar la le lor lui mai mea mei mi mult "
			"multe mulți nici noastre noi nostru nu numai ori pe pentru peste poate "
			"prin putea până sa sale sau se spre sub sunt să său te toate toată tot "
			"toți tu un una unde unei unele unor unui va voi vor vă îi îl îmi în "
			"înainte între își și" },
	{ "la", 1,
			"ab ac ad ante apud at atque aut autem causa contra cum de deinde deo dum "
			"ea eam earum eas ego ei eius ejus enim eo eorum eos erant erat ergo esse "
			"essent esset est et etiam ex fuerunt fuisse fuit haec hanc has hic his "
			"hoc huius hunc iam id igitur illa ille illi illum in inter ipsa ipse "
			"ipso is ita itaque licet magis me mihi mox nam ne nec neque nihil nisi "
			"nobis non nos nunc ob omnes omnia omnibus omnium per post postea potest "
			"pro propter qua quae quam quamquam quas quasi quem qui quia quibus quid "
			"quidem quo quod quoque quorum quos re rerum se sed semper si sibi sic "
			"sicut sine sint sit sive sua suam sub suis sunt suo super suum tam tamen "
			"te tibi tu tum tunc ubi unde unus ut uti vel vero vos" },
	{ "co", 1,
			"accantu aghju altra altre altri altru ancu anni annu anu avemu avè "
			"bisognu bona bonu ch chjamatu chì ci corsa corsu cum cume cun custa "
			"custu custì cusì cù da dentru dettu deve devenu di dice dicenu dopu duie "
			"duv duve elli ellu era eranu esistenu essa esse face fanu fattu fin "
			"fubbe funu fà fù ghje ghjente ghjenti ghjornu ghjè hanu hà hè in incù "
			"ind issa isse issi issu isula la li lingua lla longu lu ma mai manera mi "
			"micca mondu nant nantu ne nentru ni nimu nostra nostri nostru novu nu nè "
			"nò ogni ognunu omu paese par parechje parolla per più podi ponu populu "
			"prima pudete purtà pà pò qualchì quale quand quandu quattru quella "
			"quelli quellu quessa quessu quì sapè sarà sempre senza si sin so sola "
			"solu sopra sottu sta stanu stata statu ste stessa stessu sti stu sò "
			"tamanta tandu tanti tempu trà trè tutta tutti tuttu un una unu vanu vene "
			"venenu versu vi volta vostra vostri vostru vulete vulè à è é ùn" },
	{ "eu", 0,
			"al ala aldiz ari arte arteko asko aurrera ba bai baina baino bana barne "
			"bat batean batek baten bati batzuen batzuk behar beharko beraz bere "
			"beren berri beste bestea besteak beti bezala bi bidez bien buruz da dago "
			"daude dela delako den dena denak denean dio diote dira direla diren ditu "
			"dituen dituzte du duela duen dute dutela duten edo egin egiteko egiten "
			"ere eta ez ezin gabe gara gehiago gehien gure guztiak guztiek haiek hain "
			"hainbat hala halako handia hartan hau ho honek honen hori horiek horren "
			"hura ikusi izan izango izaten izenez ko lehen nahi nola non nor ondoren "
			"oraindik ordea oro oso talde te urtean zaio zein zela zen zena zenbait "
			"zer zergatik zion ziren zituen zituzten zitzaion zuela zuelako zuen "
			"zuten" },
	{ "br", 0,
			"abaoe aet al all am amañ an anezhañ anezho anv ar arall araok ba bed bet "
			"bez bezañ bihan bo boa bras bremañ bro da daou deus dezhañ dezhi dezho "
			"din dindan div diwar doa don dre eal ed eget eil em en enep eo er etre "
			"eus evel evidon evit ez fall gant gantañ ganto get gwech gwelet ha hag "
			"hañ he hep hervez hini ho hogen hon int ivez kalz kement ken kent ket "
			"kozh ma mar mat me met meur mil mont mui na ne nemet neo neuze nevez ni "
			"nij oa oant ober ouzh ouzhpenn pa pe peder pell pep petra pevar pezh piv "
			"priz re red ro se setu skrivet so tost tra traoù tri tud ul un unan ur "
			"vat ve vefe vez veze vihan vo vras war zo zoken" },
	{ "da", 0,
			"ad af alle allerede alt anden andet andre at blev blevet blive bliver da "
			"de dem den denne der deres det dette dig din disse dog du efter ej eller "
			"en end er et for fordi fra få får før gennem gør ham han hans har havde "
			"have hele helt hende hendes her hos hun hvad hvem hver hvilket hvis hvor "
			"hvordan ifølge igen ikke ind ingen ja jeg kan kom kun kunne lige man "
			"mange med meget mellem men mens mere mig mod måske noget nogle nok nu "
			"når og også om op os over på samme se selv siden sidste sig siger sin "
			"sine skal skulle som stor store så til ud uden under var ved vi vil "
			"ville være været" },
	{ "no", 0,
			"alle allerede andre at av bare ble blir blitt både da de deg dei dem den "
			"denne der deres det dette disse du eg ein eit eller en enn er et etter "
			"for fordi fra frå få får før gjennom gjør ha hadde han hans har hele her "
			"hun hva hvem hver hvis hvor hvordan ifølge igjen ikke ikkje ingen inn ja "
			"jeg kan kom korleis kunne kva kvar litt man mange med meg mellom men "
			"mens mer mot mye mykje må noe noen nok nokon nå når og også om opp oss "
			"over på samme se seg selv sett siden sier sin sine sitt skal skulle som "
			"stor store så til under ut uten var vart ved vere vi vil ville være "
			"vært" },
	{ "sv", 0,
			"alla allt andra att av bara blev bli blir blivit båda de dem den denna "
			"deras dess dessa det detta dig din du där då efter eller en enligt er "
			"ett fick finns från få får för före genom gör göra ha hade han hans har "
			"hela helt henne hennes hon honom hur här igen in inga ingen inom inte ja "
			"jag kan kommer kunde kunna lite man med mellan men mer mig min minst mot "
			"mycket måste ni nog nu när någon något några och också om oss på redan "
			"sade samma se sedan sig sin sina sitt själv ska skall skulle som stor "
			"stora så till under upp ut utan vad var vara varit varje vi vid vilket "
			"vill är år över" },
	{ "af", 0,
			"al almal altyd ander as asof baie by daar dan dat deur die dis dit dus "
			"een eerste ek elke en gaan gedoen gee geen gegaan geword haar had het "
			"hier hierdie hoe hom hul hulle hy hê iemand in is ja jaar jou jy kan kom "
			"kon lank maak maar meer met moet my na net nie niks nog nou of om onder "
			"ons ook oor op sal se sien sommige soos sou sulke sy sê te teen toe tot "
			"tussen tyd uit van vanaf veel vir voor waar want was wat weer wees wie "
			"wil word" },
	{ "lb", 0,
			"ab all als am an aner ass awer bei bis da dann dat datt de deem deen den "
			"der des dir du duerch déi dës dëse dësen ech een eis en eng engem enger "
			"eppes et fir ganz gin ginn gouf gouwen géif gëtt hat hatt hei hir hire "
			"huet hunn iwwer iwwert jo kann kee keen keng konnt kënnen ma mam mat "
			"meng mer mir muss méi nach nees net no nom nëmmen och oder op opfir sech "
			"seng si sinn sollen sou souguer säi säin um un vill ville virun vu vum "
			"vun wann war waren wat wou wéi wéinst wëll ze zu zum zur zwee ëm ënner" },
};

#define NEIGHBOURS (sizeof(neighbours) / sizeof(*neighbours))
#define LANGS (LU_COMMON_LANGS + NEIGHBOURS)

/* Words of at most eight bytes as numbers, with the bit of lower case set in each byte. */
struct lu_word_votes {
	uint64_t key[SLOTS]; /* 0: empty */
	uint32_t set[SLOTS]; /* bit i: language i, those of common_words.h first */
};

static uint64_t key_of(const char *p, size_t n)
{
	uint64_t v = 0;

	memcpy(&v, p, n);
	return v |
			(UINT64_C(0x2020202020202020) &
					(n == LONGEST ? UINT64_MAX : (UINT64_C(1) << 8 * n) - 1));
}

static size_t slot_of(const struct lu_word_votes *w, uint64_t key)
{
	size_t i = (size_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> 51);

	while (w->key[i] && w->key[i] != key)
		i = (i + 1) & (SLOTS - 1);
	return i;
}

static const char *code_of(unsigned lang)
{
	const char *words;

	return lang < LU_COMMON_LANGS ? lu_common_words_list(lang, &words)
				      : neighbours[lang - LU_COMMON_LANGS].code;
}

bool lu_word_votes_has(const char *code)
{
	for (unsigned i = 0; i < LANGS; i++) {
		if (strcmp(code_of(i), code) == 0)
			return true;
	}
	return false;
}

struct lu_word_votes *lu_word_votes_new(void)
{
	struct lu_word_votes *w = calloc(1, sizeof(*w));

	for (unsigned i = 0; w && i < LANGS; i++) {
		const char *p;

		if (i < LU_COMMON_LANGS)
			(void)lu_common_words_list(i, &p);
		else
			p = neighbours[i - LU_COMMON_LANGS].words;
		while (*p) {
			size_t n = strcspn(p, " "), at = slot_of(w, key_of(p, n));

			w->key[at] = key_of(p, n);
			w->set[at] |= UINT32_C(1) << i;
			p += n + (p[n] == ' ');
		}
	}
	return w;
}

void lu_word_votes_free(struct lu_word_votes *w)
{
	free(w);
}

/* The bytes of what ends a word: ASCII but letters, U+0080 to U+00BF, U+2000 to U+2FFF. 0: a letter. */
static size_t mark(const char *p)
{
	unsigned char c = (unsigned char)*p;

	if (c < 0x80)
		return (c | 0x20U) - 'a' >= 26;
	return c == 0xC2 ? 2 : c == 0xE2 ? 3 : 0;
}

struct lu_vote lu_word_votes_count(const struct lu_word_votes *w, struct lu_str text)
{
	const char *p = text.p, *end = text.p + text.n;
	struct lu_vote v = { NULL, -2, -2, 0 };
	int points[LANGS] = { 0 };

	while (p < end) {
		const char *word = p;
		size_t n, after = 0;

		while (p < end && (after = mark(p)) == 0)
			p++;
		n = (size_t)(p - word);
		if (n >= 2 && n <= LONGEST) {
			uint32_t set = w->set[slot_of(w, key_of(word, n))];

			for (; set; set &= set - 1)
				points[__builtin_ctz(set)] += 2;
		}
		p += p < end ? after : 0;
	}
	for (unsigned i = 0; i < LANGS; i++) {
		if (points[i] && i < LU_COMMON_LANGS)
			v.seen |= 1U << i;
		else if (points[i])
			points[i] -= neighbours[i - LU_COMMON_LANGS].handicap;
		if (points[i] <= v.next)
			continue;
		v.next = points[i];
		if (points[i] > v.points) {
			v.next = v.points;
			v.points = points[i];
			v.code = points[i] > 0 ? code_of(i) : NULL;
		}
	}
	return v;
}
